//! A store whose process is killed in the middle of its work keeps every append that it acknowledged.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails by panicking")]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use quorate_host::Store;
use quorate_host::store::Append;

const CHILD: &str = "QUORATE_TEST_KILL_DIR";

fn entry(n: u64) -> Vec<u8> {
    format!("entry {n} {}", "x".repeat(300)).into_bytes()
}

/// Not a test of its own: the child appends for ever and prints each size once it is acknowledged.
#[test]
fn child_that_appends_until_it_is_killed() {
    let Some(path) = std::env::var_os(CHILD).map(PathBuf::from) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::open(&path).await.unwrap();
        let mut size = store.size();
        loop {
            let tickets: Vec<_> = (size..size + 7)
                .map(|n| {
                    let entries = vec![entry(n)];
                    store.submit(Append { expected_size: n, entries, ..Append::default() }).unwrap()
                })
                .collect();
            for ticket in tickets {
                size = ticket.done().await.unwrap();
                println!("acknowledged={size}");
            }
        }
    });
}

/// Runs the child until it has acknowledged `count` more lines, kills it, and gives the last size that it printed.
fn run_and_kill(path: &Path, count: usize) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_that_appends_until_it_is_killed", "--nocapture"])
        .env(CHILD, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let sizes = lines.filter_map(|line| line.split_once("acknowledged=")?.1.parse().ok());
    let last = sizes.take(count).last().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    last
}

#[test]
fn acknowledged_appends_survive_sigkill() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut before = 0;
    for round in 0..10 {
        let acknowledged = run_and_kill(&path, 5 + round * 3);
        before = runtime.block_on(async {
            let store = Store::open(&path).await.unwrap();
            assert!(store.size() >= acknowledged, "{} < {acknowledged}", store.size());
            assert!(store.size() > before);
            let all = store.read(0, store.size()).await.unwrap();
            assert_eq!(all, (0..store.size()).map(entry).collect::<Vec<_>>());
            let size = store.size();
            store.close().await;
            size
        });
    }
}
