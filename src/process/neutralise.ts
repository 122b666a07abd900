// What a program prints may steer a terminal: hide lines, set titles, fill the clipboard. Data keeps its bytes; whoever
// shows it calls this. One pass is enough, since no escape or C1 character survives it.

/** OSC, DCS, APC, PM, SOS with their payload: to the terminator, or to the end of the line when there is none. */
const STRINGS =
  "(?:\\u001b[\\]PX^_]|[\\u0090\\u0098\\u009d-\\u009f])[^\\u0007\\u001b\\u009c\\n]*(?:\\u0007|\\u001b\\\\|\\u009c)?";
const CONTROL_SEQUENCES = "(?:\\u001b\\[|\\u009b)[0-?]*[ -/]*[@-~]?";
const OTHER_ESCAPES = "\\u001b[ -/]*[0-~]?";
/** C0 but newline and tab, DEL, C1. */
const CONTROLS = "[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f]";
const BIDI = "[\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]";

const UNSAFE = new RegExp([STRINGS, CONTROL_SEQUENCES, OTHER_ESCAPES, CONTROLS, BIDI].join("|"), "g");

/** Text that a terminal shows and does not obey: control characters, escape sequences and bidi controls are gone. */
export function neutralise(text: string): string {
  return text.replace(UNSAFE, "");
}
