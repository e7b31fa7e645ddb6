/* The dictionary of the link, from protocol.toml.
 * Written by `python -m firmware_bridge.dictionary`; change its source instead.
 * Frame: COBS( ver u8 | type u8 | seq u8 | boot_id u16 | ack u8 | payload | crc32 ) 0x00.
 * All is little-endian; the structs are payloads, and assume a little-endian machine. */
#ifndef EVERPAW_PROTOCOL_H
#define EVERPAW_PROTOCOL_H
#include <stdint.h>

#define EVERPAW_VERSION 1
#define EVERPAW_PAYLOAD_MAX 96
#define EVERPAW_TICK_MS 10
#define EVERPAW_DICTIONARY_HASH {0x3f, 0xb1, 0x7b, 0xbb, 0x98, 0xbf, 0x6c, 0x56}

#define EVERPAW_DEADLINE_HOLD_MS 250
#define EVERPAW_DEADLINE_SAFE_MS 500
#define EVERPAW_DEADLINE_REST_MS 3000
#define EVERPAW_DEADLINE_FAULT_HOLD_MS 500
#define EVERPAW_DEADLINE_ECHO_MS 250
#define EVERPAW_DEADLINE_SENSE_MS 1000

#define EVERPAW_DEBOUNCE_SUPPLY_CUT_MS 200
#define EVERPAW_DEBOUNCE_SUPPLY_LOW_MS 1000
#define EVERPAW_DEBOUNCE_TEMPERATURE_MS 500
#define EVERPAW_DEBOUNCE_TILT_MS 50
#define EVERPAW_DEBOUNCE_LIFT_MS 30

#define EVERPAW_GUARD_GROSS_CDEG 3000

#define EVERPAW_STATE_BOOT 0
#define EVERPAW_STATE_DISARMED 1
#define EVERPAW_STATE_ARMED 2
#define EVERPAW_STATE_STOPPING 3
#define EVERPAW_STATE_FAULT 4

#define EVERPAW_RESULT_OK 0
#define EVERPAW_RESULT_WRONG_STATE 1
#define EVERPAW_RESULT_OTHER_BOOT 2
#define EVERPAW_RESULT_NOT_GREETED 3
#define EVERPAW_RESULT_BAD_PAYLOAD 4
#define EVERPAW_RESULT_REFUSED 5
#define EVERPAW_RESULT_UNFIT 6

#define EVERPAW_REASON_NONE 0
#define EVERPAW_REASON_DEADLINE 1
#define EVERPAW_REASON_DISARM_ORDER 2
#define EVERPAW_REASON_NEW_SESSION 3
#define EVERPAW_REASON_STOP_ORDER 4
#define EVERPAW_REASON_BAD_LIMITS 5
#define EVERPAW_REASON_FALLING 6
#define EVERPAW_REASON_LIFTED 7
#define EVERPAW_REASON_LOW_BATTERY 8
#define EVERPAW_REASON_NO_SUPPLY 9
#define EVERPAW_REASON_TOO_HOT 10
#define EVERPAW_REASON_STALLED 11
#define EVERPAW_REASON_ESTOP 12
#define EVERPAW_REASON_SENSE_LOST 13
#define EVERPAW_REASON_SERVO_LOST 14

#define EVERPAW_SENSE_SUPPLY 1
#define EVERPAW_SENSE_TEMPERATURE 2
#define EVERPAW_SENSE_TILT 4
#define EVERPAW_SENSE_LIFT 8
#define EVERPAW_SENSE_ESTOP_INPUT 16
#define EVERPAW_SENSE_POSITION 32
#define EVERPAW_SENSE_TOUCH 64

#define EVERPAW_HELLO_ASK 0x01 /* reliable */
#pragma pack(push, 1)
typedef struct {
  uint16_t session;
  uint8_t protocol;
  uint8_t dictionary[8];
  uint8_t limits[8];
} everpaw_hello_ask;
#pragma pack(pop)
_Static_assert(sizeof(everpaw_hello_ask) == 19, "packed");

#define EVERPAW_ARM 0x02 /* reliable */

#define EVERPAW_DISARM 0x03 /* reliable */

#define EVERPAW_HALT 0x04 /* reliable */

#define EVERPAW_STOP 0x05 /* reliable */

#define EVERPAW_CLEAR 0x06 /* reliable */

#define EVERPAW_PING 0x07 /* probe */
#pragma pack(push, 1)
typedef struct {
  uint32_t challenge;
} everpaw_ping;
#pragma pack(pop)
_Static_assert(sizeof(everpaw_ping) == 4, "packed");

#define EVERPAW_TIGHTEN 0x08 /* reliable */
#pragma pack(push, 1)
typedef struct {
  uint8_t joint;
  int16_t min;
  int16_t max;
  uint16_t speed;
  uint16_t accel;
} everpaw_tighten;
#pragma pack(pop)
_Static_assert(sizeof(everpaw_tighten) == 9, "packed");

#define EVERPAW_LEAVE 0x09 /* reliable */

#define EVERPAW_SETPOINT 0x10 /* stream */
#pragma pack(push, 1)
typedef struct {
  uint16_t ttl_ms;
  uint16_t echo;
  /* then int16_t for each joint, hundredths of a degree */
} everpaw_setpoint;
#pragma pack(pop)
_Static_assert(sizeof(everpaw_setpoint) == 4, "packed");

#define EVERPAW_HELLO 0x81 /* reply */
#pragma pack(push, 1)
typedef struct {
  uint16_t session;
  uint8_t protocol;
  uint16_t firmware;
  uint8_t firmware_hash[8];
  uint8_t dictionary[8];
  uint8_t limits[8];
  uint8_t joints;
  uint8_t tick_ms;
  uint8_t senses;
} everpaw_hello;
#pragma pack(pop)
_Static_assert(sizeof(everpaw_hello) == 32, "packed");

#define EVERPAW_RESULT 0x82 /* reply */
#pragma pack(push, 1)
typedef struct {
  uint8_t request;
  uint8_t code;
  uint8_t state;
} everpaw_result;
#pragma pack(pop)
_Static_assert(sizeof(everpaw_result) == 3, "packed");

#define EVERPAW_PONG 0x83 /* reply */
#pragma pack(push, 1)
typedef struct {
  uint32_t proof;
  uint32_t tick;
} everpaw_pong;
#pragma pack(pop)
_Static_assert(sizeof(everpaw_pong) == 8, "packed");

#define EVERPAW_STATE 0x90 /* stream */
#pragma pack(push, 1)
typedef struct {
  uint8_t state;
  uint8_t reason;
  uint32_t tick;
  uint8_t setpoint_seq;
  uint16_t setpoint_age_ticks;
  uint16_t clamped;
  uint16_t refused;
  uint16_t bad_frames;
  /* then int16_t for each joint, hundredths of a degree */
} everpaw_state;
#pragma pack(pop)
_Static_assert(sizeof(everpaw_state) == 15, "packed");

#define EVERPAW_SENSES 0x91 /* stream */
#pragma pack(push, 1)
typedef struct {
  uint8_t senses;
  uint8_t unfit;
  uint16_t supply_mv;
  int8_t temperature_c;
  int8_t roll_deg;
  int8_t pitch_deg;
  uint8_t touch;
  uint8_t flags;
  uint8_t silent;
  uint32_t stalled;
  uint16_t late;
  uint16_t stale;
} everpaw_senses;
#pragma pack(pop)
_Static_assert(sizeof(everpaw_senses) == 18, "packed");

#endif
