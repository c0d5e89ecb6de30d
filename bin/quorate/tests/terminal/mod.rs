//! Being guided through a founding on a real terminal.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::Child;
use std::sync::mpsc::{Receiver, channel};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::common::{House, quorate};

const CTRL_C: &str = "\u{3}";

/// A person at a terminal in which `quorate init` runs.
struct Person {
    terminal: File,
    shown: Receiver<Vec<u8>>,
    /// What is on the screen and was not waited for yet.
    unread: String,
    /// Everything that was ever shown.
    all: String,
    child: Child,
}

impl Person {
    fn at(house: &House) -> Self {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&terminal).unwrap();
        unlockpt(&terminal).unwrap();
        let size = Winsize { ws_row: 60, ws_col: 240, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&terminal, size).unwrap();
        let name = ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
        let open = || OpenOptions::new().read(true).write(true).open(&name).unwrap();
        let mut command = quorate();
        command.args(["init", "--dir"]).arg(house.desk()).env("TERM", "xterm");
        let child = command.stdin(open()).stdout(open()).stderr(open()).spawn().unwrap();
        // The command holds the three ends that it was given; while it lives, so does the terminal.
        drop(command);
        let (tell, shown) = channel();
        let mut screen = File::from(terminal.try_clone().unwrap());
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // The read fails once nobody holds the other end.
            while let Ok(read @ 1..) = screen.read(&mut bytes) {
                if tell.send(bytes[..read].to_vec()).is_err() {
                    break;
                }
            }
        });
        let terminal = File::from(terminal);
        Self { terminal, shown, unread: String::new(), all: String::new(), child }
    }

    /// Waits until the words are shown.
    fn sees(&mut self, words: &str) {
        loop {
            if let Some((_, after)) = self.unread.split_once(words) {
                self.unread = after.to_owned();
                return;
            }
            let Ok(bytes) = self.shown.recv() else {
                panic!("the program ended before it showed `{words}`:\n{}", self.all);
            };
            let text = plain(&String::from_utf8_lossy(&bytes));
            self.unread.push_str(&text);
            self.all.push_str(&text);
        }
    }

    fn types(&mut self, keys: &str) {
        self.terminal.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits for a question and answers it.
    fn answers(&mut self, question: &str, answer: &str) {
        self.sees(question);
        self.types(&format!("{answer}\r"));
    }

    /// Takes a refused answer back, letter by letter, and gives another.
    fn mends(&mut self, refused: &str, answer: &str) {
        let back = "\u{7f}".repeat(refused.chars().count());
        self.types(&format!("{back}{answer}\r"));
    }

    /// Waits for the end; gives the exit code and all that was shown.
    fn ends(mut self) -> (i32, String) {
        while let Ok(bytes) = self.shown.recv() {
            self.all.push_str(&plain(&String::from_utf8_lossy(&bytes)));
        }
        (self.child.wait().unwrap().code().unwrap_or(-1), self.all)
    }
}

/// Text without the sequences that move a cursor or colour it.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '\u{1b}' {
            plain.push(letter);
            continue;
        }
        if letters.next() == Some('[') {
            letters.by_ref().find(|end| end.is_ascii_alphabetic());
        }
    }
    plain
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[test]
fn a_person_is_guided_to_a_vault_and_asked_again_after_each_bad_answer() {
    let house = House::new();
    let mut person = Person::at(&house);
    person.answers("What is the vault called?", "My Vault!");
    person.sees("is not an identifier");
    person.mends("My Vault!", "treasury");
    person.answers("An approver's enrolment file?", "no-such-file.json");
    person.sees("no-such-file.json:");
    person.mends("no-such-file.json", &shown(&house.path("ann.json")));
    person.answers("Another approver?", "y");
    person.answers("An approver's enrolment file?", &shown(&house.path("bo.json")));
    person.answers("Another approver?", "n");
    for (seat, port) in [("c1.json", 7501), ("c2.json", 7502)] {
        let said = format!("{}@127.0.0.1:{port}", shown(&house.path(seat)));
        person.answers("A cosigner's seat file and address?", &said);
    }
    person.answers("Another cosigner?", "n");
    person.answers("Is there a source of facts", "n");
    person.answers("Which chain and node?", "eip155:31337=http://127.0.0.1:8545");
    person.answers("Another chain?", "n");
    person.answers("How many of the 2 approvers", "3");
    person.sees("cannot be met");
    person.mends("3", "2");
    let (code, all) = person.ends();
    assert_eq!(code, 0, "{all}");
    assert!(house.desk().join("charter.json").is_file(), "{all}");
    assert!(all.contains("charter"), "the digest to compare is told: {all}");
}

#[test]
fn whoever_gives_up_half_way_leaves_nothing_behind() {
    let house = House::new();
    let mut person = Person::at(&house);
    person.answers("What is the vault called?", "treasury");
    person.sees("An approver's enrolment file?");
    person.types(CTRL_C);
    let (code, all) = person.ends();
    assert_ne!(code, 0, "{all}");
    assert!(all.contains("nothing was written"), "{all}");
    assert!(!house.desk().exists());
}
