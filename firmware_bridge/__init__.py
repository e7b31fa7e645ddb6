"""The body: movements, the serial link, and the microcontroller that has the last word."""
