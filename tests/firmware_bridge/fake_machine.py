"""A `machine` for the board files: pins, PWM, I2C, UART, ADC and a watchdog, all of which remember."""

MACHINE = """
LOG = []
class Pin:
    IN, OUT, PULL_UP = 0, 1, 2
    levels = {}
    def __init__(self, n, mode=None, pull=None):
        self.n = n
    def value(self, v=None):
        if v is None:
            return Pin.levels.get(self.n, 0)
        Pin.levels[self.n] = v
class PWM:
    made = []
    def __init__(self, pin, freq=0, duty_u16=0):
        self.pin, self.ns = pin, -1
        PWM.made.append(self)
    def duty_ns(self, ns):
        self.ns = ns
    def duty_u16(self, duty):
        self.ns = -1
class I2C:
    written = {}
    gone = None
    accel = b"\\0\\0\\0\\0\\x40\\0"
    def __init__(self, bus, sda=None, scl=None, freq=0):
        pass
    def writeto_mem(self, address, register, data):
        if address == I2C.gone:
            raise OSError(5)
        I2C.written[(address, register)] = bytes(data)
    def readfrom_mem_into(self, address, register, out):
        if address == I2C.gone:
            raise OSError(5)
        out[:] = I2C.accel if address == 0x68 else I2C.written[(address, register)]
class ADC:
    ATTN_11DB = 3
    values = {}
    def __init__(self, pin, atten=None):
        self.n = pin.n if isinstance(pin, Pin) else pin
    def read_u16(self):
        return ADC.values.get(self.n, 0)
    def read_uv(self):
        return ADC.values.get(self.n, 0) * 3300000 // 65535
class UART:
    sent = []
    waiting = b""
    def __init__(self, bus, baudrate=0, tx=0, rx=0):
        self.last = b""
    def write(self, data):
        UART.sent.append(bytes(data))
        UART.waiting += bytes(data) + UART.reply(bytes(data))
    reply = staticmethod(lambda data: b"")
    def flush(self):
        pass
    def any(self):
        return len(UART.waiting)
    def read(self, n):
        out, UART.waiting = UART.waiting[:n], UART.waiting[n:]
        return out
    def readinto(self, out):
        data = self.read(len(out))
        out[: len(data)] = data
        return len(data)
class WDT:
    fed = 0
    timeout = 0
    def __init__(self, timeout=0):
        WDT.timeout = timeout
    def feed(self):
        WDT.fed += 1
resets = 0
def reset():
    global resets
    resets += 1
"""
ESP32 = "def mcu_temperature():\n    return 31\n"
SELECT = """
POLLIN, POLLOUT = 1, 4
room = [1000]
class poll:
    def register(self, file, mask):
        self.mask = mask
    def poll(self, timeout_ms):
        if self.mask == POLLOUT and room[0] > 0:
            room[0] -= 1
            return [self]
        return []
"""
