//! The desk as a process: on a disk that fails, what it still answers, what it refuses and when it ends; and what it says of
//! tools that changed while it was down.
#![cfg(test)]

mod common;
#[path = "../../../crates/host/tests/disk/mod.rs"]
mod disk;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use common::{Done, House, quorate, run};
use disk::Disk;

/// A founded vault with an HTTP door, and its desk.
struct Desk {
    house: House,
    address: String,
    child: Option<Child>,
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

impl Desk {
    fn found() -> Self {
        let house = House::new();
        assert!(house.init(&["--book-listen", "127.0.0.1:0"]).ok());
        let address = free_address();
        let file = house.desk().join("desk.toml");
        let mut config = std::fs::read_to_string(&file).unwrap();
        config.push_str(&format!("\n[http]\nlisten = \"{address}\"\n"));
        std::fs::write(file, config).unwrap();
        Self { house, address, child: None }
    }

    /// Starts it and waits until it answers.
    fn start(&mut self, prepare: impl FnOnce(&mut Command)) {
        let mut command = quorate();
        prepare(command.args(["up", "--dir"]).arg(self.house.desk()));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        self.child = Some(child.spawn().unwrap());
        while self.http("/health").is_none() {
            let ended = self.child.as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none(), "the desk ended: {}", self.ended().1);
        }
    }

    /// Waits for its end; gives its exit code and what it said.
    fn ended(&mut self) -> (Option<i32>, String) {
        let output = self.child.take().unwrap().wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }

    fn run(&self, args: &[&str]) -> Done {
        let dir = self.house.desk().display().to_string();
        run(&[&["--json"], args, &["--dir", &dir]].concat())
    }

    fn open_wallet(&self, name: &str) -> Done {
        self.run(&["wallet", "new", name, "--chain", "eip155:31337", "--key", name])
    }

    fn cases(&self) -> usize {
        self.run(&["case", "list"]).json().as_array().unwrap().len()
    }

    /// The status line and text of an operator's page.
    fn http(&self, path: &str) -> Option<String> {
        let mut socket = TcpStream::connect(&self.address).ok()?;
        let host = &self.address;
        write!(socket, "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").ok()?;
        let mut text = String::new();
        socket.read_to_string(&mut text).ok()?;
        text.strip_prefix("HTTP/1.1 ").map(str::to_owned)
    }

    fn page(&self, path: &str) -> String {
        self.http(path).unwrap()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _it_may_have_ended = child.kill();
            let _nobody_asks = child.wait();
        }
    }
}

#[test]
fn row_06_a_flush_that_fails_ends_the_desk_with_no_second_try_and_no_answer() {
    let (mut desk, disk) = (Desk::found(), Disk::new());
    desk.start(|command| {
        disk.under(command);
    });
    assert!(desk.open_wallet("before").ok());
    assert_eq!(disk.failed_flushes(), 0);
    disk.fail_flushes();
    let filed = desk.open_wallet("after");
    assert!(!filed.ok() && filed.stdout.find("\"case\"").is_none(), "{filed:?}");
    let (code, said) = desk.ended();
    assert!(code.is_some_and(|code| code != 0), "it ended by itself: {code:?} {said}");
    assert_eq!(disk.failed_flushes(), 1, "the flush was not tried again");
    // On a disk that works again everything that was acknowledged is there, and the request can be made again.
    desk.start(|_| ());
    assert!(desk.run(&["case", "list"]).stdout.contains("open_wallet"));
    assert!((1..=2).contains(&desk.cases()), "what was not acknowledged may be there or not");
    assert!(desk.open_wallet("after").ok());
    assert_eq!(desk.cases(), 2, "the same key gives the same case");
}

#[test]
fn row_15_a_second_desk_on_one_folder_is_told_to_stop_and_the_first_goes_on() {
    let mut desk = Desk::found();
    desk.start(|_| ());
    let second = desk.run(&["up"]);
    assert_eq!(second.code, 2, "{second:?}");
    assert!(second.stderr.contains("one desk writes one vault"), "{second:?}");
    assert!(desk.open_wallet("after").ok(), "the first is at work");
    // The second after a kill without warning starts on what the first recorded.
    desk.child.as_mut().unwrap().kill().unwrap();
    desk.child.take().unwrap().wait().unwrap();
    desk.start(|_| ());
    assert_eq!(desk.cases(), 1);
}

/// The ledger of a desk that does not run.
async fn ledger(desk: &Desk) -> quorate_host::Store {
    quorate_host::Store::open(&desk.house.desk().join("data/ledger.db")).await.unwrap()
}

/// How many entries there are of an alarm about changed tools, and of pinned lists.
async fn alarms_and_pins(desk: &Desk) -> (usize, usize) {
    let store = ledger(desk).await;
    let entries = store.read(0, u64::MAX >> 1).await.unwrap();
    store.close().await;
    let with = |word: &str| {
        entries.iter().filter(|entry| String::from_utf8_lossy(entry).contains(word)).count()
    };
    (with("tools_changed"), with("ManifestPinned"))
}

#[tokio::test]
async fn t23_tools_that_changed_since_they_were_pinned_raise_an_alarm_in_the_ledger() {
    let mut desk = Desk::found();
    let run = |desk: &mut Desk| {
        desk.start(|_| ());
        desk.child.as_mut().unwrap().kill().unwrap();
        desk.child.take().unwrap().wait().unwrap();
    };
    run(&mut desk);
    assert_eq!(alarms_and_pins(&desk).await, (0, 4), "one list for each band");
    run(&mut desk);
    assert_eq!(alarms_and_pins(&desk).await, (0, 4), "nothing changed");
    // As if the desk that ran before had said other words of two bands' tools.
    let store = ledger(&desk).await;
    for band in ["read", "sign"] {
        store.put(&format!("manifest/{band}"), vec![7; 32]).await.unwrap();
    }
    store.close().await;
    run(&mut desk);
    assert_eq!(alarms_and_pins(&desk).await, (2, 6));
    run(&mut desk);
    assert_eq!(alarms_and_pins(&desk).await, (2, 6), "told once");
}

/// Takes the room away, and gives it back.
trait Room {
    fn fill(&self);
    fn free(&self);
}

impl Room for Disk {
    fn fill(&self) {
        Self::fill(self);
    }

    fn free(&self) {
        Self::free(self);
    }
}

fn refuses_what_is_new_and_answers_the_rest(desk: &Desk, room: &impl Room) {
    assert!(desk.open_wallet("before").ok());
    assert!(desk.page("/ready").starts_with("200"));
    room.fill();
    let refused = desk.open_wallet("during");
    assert!(!refused.ok() && refused.all().contains("free space"), "{refused:?}");
    for _ in 0..20 {
        assert!(desk.page("/ready").starts_with("503"), "red until there is room");
    }
    assert!(desk.page("/metrics").contains("quorate_writes 0"));
    assert!(desk.page("/health").starts_with("200"), "the process lives");
    let status = desk.run(&["status"]);
    assert_eq!((status.ok(), &status.json()["writes"]), (true, &false.into()));
    let doctor = desk.run(&["doctor"]);
    assert!(doctor.code == 1 && doctor.stdout.contains("takes no writes"), "{doctor:?}");
    assert_eq!(desk.cases(), 1, "nothing of what was refused is there");
    assert!(!desk.open_wallet("during").ok(), "and it goes on refusing");
    room.free();
    // Nobody has to ask for anything: the desk finds out by itself.
    while !desk.page("/ready").starts_with("200") {}
    assert!(desk.open_wallet("during").ok());
    assert_eq!(desk.cases(), 2);
}

#[test]
fn row_08_a_desk_without_room_files_nothing_shows_it_answers_and_recovers() {
    let (mut desk, disk) = (Desk::found(), Disk::new());
    desk.start(|command| {
        disk.under(command);
    });
    refuses_what_is_new_and_answers_the_rest(&desk, &disk);
    assert!(desk.child.as_mut().unwrap().try_wait().unwrap().is_none(), "it never ended");
}

/// A real file system of a few megabytes under the desk's data.
struct Small<'a>(&'a Path);

impl<'a> Small<'a> {
    fn new(dir: &'a Path) -> Option<Self> {
        let options = ["-t", "tmpfs", "-o", "size=8m,mode=0700", "tmpfs"];
        let done = Command::new("mount").args(options).arg(dir).output();
        done.is_ok_and(|out| out.status.success()).then_some(Self(dir))
    }
}

impl Room for Small<'_> {
    fn fill(&self) {
        // To the last byte: SQLite's own files have room left within their last page.
        let mut file = std::fs::File::create(self.0.join("ballast")).unwrap();
        let mut piece = 1 << 20;
        while piece > 0 {
            if file.write_all(&vec![0; piece]).is_err() {
                piece /= 2;
            }
        }
    }

    fn free(&self) {
        std::fs::remove_file(self.0.join("ballast")).unwrap();
    }
}

impl Drop for Small<'_> {
    fn drop(&mut self) {
        let _gone_with_the_room = Command::new("umount").arg("-l").arg(self.0).output();
    }
}

#[test]
fn row_08_a_desk_on_a_real_full_file_system_recovers_too() {
    let mut desk = Desk::found();
    let data = desk.house.desk().join("data");
    std::fs::create_dir(&data).unwrap();
    let Some(small) = Small::new(&data) else {
        println!("skipped: this user may not mount; the disk that is told to be full stands alone");
        return;
    };
    desk.start(|_| ());
    refuses_what_is_new_and_answers_the_rest(&desk, &small);
    desk.child.as_mut().unwrap().kill().unwrap();
}
