//! The programs of libfido2, as children: arguments, and lines in and out. No shell stands between. What they say is shown as
//! text of outside; PIN and touch are between them, the terminal and the key.

use std::io::{ErrorKind, Read, Write as _};
use std::process::{Command, Stdio};

use quorate_host::telemetry::safe;

use crate::trouble::{Done, Trouble};

/// The most bytes that are read of an answer, and of a complaint. An answer with a certificate has some 2 KiB.
const ANSWER_MAX: u64 = 64 * 1024;
const COMPLAINT_MAX: u64 = 4096;
/// The longest path of a device, in bytes.
const PATH_MAX: usize = 1024;

/// What a complaint of libfido2 (`fido_strerr`) asks people to do. The first that is found counts.
const MENDS: [(&str, &str); 6] = [
    ("FIDO_ERR_PIN_INVALID", "type the PIN of the key again; after eight wrong ones it is locked"),
    ("FIDO_ERR_PIN_NOT_SET", "give the key a PIN with `fido2-token -S DEVICE`"),
    ("FIDO_ERR_PIN_AUTH_BLOCKED", "take the key out, put it in again and type its PIN"),
    ("FIDO_ERR_PIN_BLOCKED", "the key is locked; approve with another and have this one replaced"),
    ("FIDO_ERR_NO_CREDENTIALS", "put in the key that holds the passkey, or name it by --passkey"),
    ("fido_dev_open", "check that the key is in, and that you may open its device"),
];

/// Runs a program with these lines as its input, and gives what it wrote.
///
/// # Errors
/// [`Trouble`] when it is not there, and with its own complaint when it does not succeed.
pub(super) fn run(program: &str, arguments: &[&str], lines: &[String]) -> Done<String> {
    let mut child = Command::new(program)
        .args(arguments)
        // It would write more than anybody reads.
        .env_remove("FIDO_DEBUG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| not_started(program, &e))?;
    // Read beside the answer, and to its end: a child that nobody listens to would wait for ever, or be ended.
    let complaint = child.stderr.take().map(|mut pipe| {
        std::thread::spawn(move || {
            let said = text(&mut pipe, COMPLAINT_MAX);
            let _rest = std::io::copy(&mut pipe, &mut std::io::sink());
            said
        })
    });
    if let Some(mut input) = child.stdin.take() {
        let all: String = lines.iter().map(|line| format!("{line}\n")).collect();
        // One that ends early says why itself.
        let _it_may_not_read = input.write_all(all.as_bytes());
    }
    let answer = child.stdout.take().map(|pipe| text(pipe, ANSWER_MAX)).unwrap_or_default();
    let status = child.wait()?;
    let complaint = complaint.and_then(|thread| thread.join().ok()).unwrap_or_default();
    if status.success() {
        return Ok(answer);
    }
    Err(refused(program, &complaint))
}

/// The device that is named, or else the only one that is plugged in.
///
/// # Errors
/// A refusal where there is none or more than one, with what there is.
pub(super) fn device(named: Option<&str>) -> Done<String> {
    if let Some(named) = named {
        return path(named);
    }
    let listed = run("fido2-token", &["-L"], &[])?;
    let found: Vec<&str> = listed.lines().filter(|line| !line.trim().is_empty()).collect();
    match found.as_slice() {
        [] => {
            let next = "put the key in, and check that you may open its device (`fido2-token -L`)";
            Err(Trouble::refused("no_device", "no FIDO2 key was found", next))
        }
        [one] => path(one.split_once(": ").map_or(*one, |(path, _)| path)),
        several => {
            let message = format!("there are several FIDO2 keys: {}", safe(&several.join("; ")));
            let next = "name one after --fido2, such as /dev/hidraw3";
            Err(Trouble::refused("several_devices", message, next))
        }
    }
}

/// Checks that a program can take it for nothing but a path.
fn path(text: &str) -> Done<String> {
    let text = text.trim();
    let is_plain = !text.chars().any(|c| c.is_control() || c.is_whitespace());
    if (1..=PATH_MAX).contains(&text.len()) && !text.starts_with('-') && is_plain {
        return Ok(text.to_owned());
    }
    let message = format!("`{}` is no device", safe(text));
    Err(Trouble::refused("no_device", message, "name one as `fido2-token -L` lists it"))
}

/// What is said where a program succeeded and wrote something else than it should.
pub(super) fn unreadable(program: &str) -> Trouble {
    let message = format!("what `{program}` wrote cannot be read");
    let next = "check that it is the program of libfido2, and that the key does ES256";
    Trouble::refused("bad_answer", message, next)
}

fn refused(program: &str, complaint: &str) -> Trouble {
    let line = complaint.lines().rfind(|line| !line.trim().is_empty());
    let mend = MENDS.iter().find(|(part, _)| complaint.contains(*part));
    let next = mend.map_or("check the key and its PIN, and try again", |(_, next)| *next);
    let message = match line {
        Some(line) => format!("the key gave nothing: {}", safe(line.trim())),
        None => format!("the key gave nothing, and `{program}` says no reason"),
    };
    Trouble::refused("no_answer", message, next)
}

fn not_started(program: &str, error: &std::io::Error) -> Trouble {
    if error.kind() == ErrorKind::NotFound {
        let message = format!("`{program}` is not on the path");
        let next = "install libfido2's programs (Debian: `apt install fido2-tools`), and try again";
        return Trouble::fault("no_program", message, next);
    }
    let message = format!("`{program}` did not start ({error})");
    Trouble::fault("no_program", message, "check who may run it, and try again")
}

/// What a pipe gives, at most so many bytes of it.
fn text(pipe: impl Read, most: u64) -> String {
    let mut bytes = Vec::new();
    // What was read before a failure is what there is.
    let _whole_or_not = pipe.take(most).read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_a_program_could_take_for_an_option_is_refused() {
        for bad in ["", " ", "-V", "--help", "/dev/hid raw1", "/dev/hid\nraw1", "\u{1b}[2J"] {
            assert_eq!(path(bad).unwrap_err().code, "no_device", "{bad:?}");
        }
        for good in ["/dev/hidraw3", "pcsc://slot0", "ioreg://4294969541"] {
            assert_eq!(path(good).unwrap(), good);
        }
    }

    #[test]
    fn a_complaint_stays_one_line_and_says_what_to_do() {
        let said =
            refused("fido2-assert", "first\nfido2-assert: FIDO_ERR_PIN_INVALID\u{1b}[2J\n\n");
        assert!(!said.message.chars().any(char::is_control), "{}", said.message);
        assert!(said.message.contains("FIDO_ERR_PIN_INVALID"), "{}", said.message);
        assert!(said.next.contains("PIN of the key again"), "{}", said.next);
        assert!(refused("fido2-cred", "").message.contains("fido2-cred"));
    }
}
