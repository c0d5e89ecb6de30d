#![expect(clippy::arithmetic_side_effects, reason = "an overflow in a test is a failed test")]

use std::path::PathBuf;

use proptest::prelude::*;
use tokio::runtime::Runtime;

use super::*;

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn room() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    (dir, path)
}

fn entry(n: u64) -> Vec<u8> {
    format!("entry {n}").into_bytes()
}

fn run<T>(work: impl Future<Output = T>) -> T {
    runtime().block_on(work)
}

#[test]
fn entries_come_back_in_order_and_survive_reopening() {
    run(async {
        let (_dir, path) = room();
        let store = Store::open(&path).await.unwrap();
        assert_eq!(store.append(0, vec![entry(0), entry(1)]).await, Ok(2));
        assert_eq!(store.append(2, vec![entry(2)]).await, Ok(3));
        assert_eq!(store.read(0, 2).await.unwrap(), [entry(0), entry(1)]);
        assert_eq!(store.read(2, 100).await.unwrap(), [entry(2)]);
        assert!(store.read(3, 100).await.unwrap().is_empty());
        let epoch = store.epoch();
        store.close().await;
        let store = Store::open(&path).await.unwrap();
        assert_eq!((store.size(), store.epoch()), (3, epoch + 1));
        assert_eq!(store.append(3, vec![entry(3)]).await, Ok(4));
    });
}

#[test]
fn entries_are_read_by_their_indices_in_order_and_those_that_are_not_there_are_left_out() {
    run(async {
        let (_dir, path) = room();
        let store = Store::open(&path).await.unwrap();
        store.append(0, (0..9).map(entry).collect()).await.unwrap();
        let read = store.read_these(&[7, 2, 2, 9, u64::MAX, 0]).await.unwrap();
        assert_eq!(read, [(0, entry(0)), (2, entry(2)), (7, entry(7))]);
        assert!(store.read_these(&[]).await.unwrap().is_empty());
    });
}

#[test]
fn an_append_that_expects_another_size_writes_nothing_and_says_the_size() {
    run(async {
        let (_dir, path) = room();
        let store = Store::open(&path).await.unwrap();
        store.append(0, vec![entry(0)]).await.unwrap();
        for wrong in [0, 2, u64::MAX] {
            let got = store.append(wrong, vec![entry(9)]).await;
            assert_eq!(got, Err(AppendError::Conflict { size: 1 }));
        }
        assert_eq!(store.read(0, 9).await.unwrap(), [entry(0)]);
    });
}

#[test]
fn of_many_writers_at_one_size_exactly_one_wins() {
    run(async {
        let (_dir, path) = room();
        let store = Store::open(&path).await.unwrap();
        let all: Vec<_> = (0..64)
            .map(|n| {
                let store = store.clone();
                tokio::spawn(async move { store.append(0, vec![entry(n)]).await })
            })
            .collect();
        let mut won = 0;
        for one in all {
            won += u64::from(one.await.unwrap().is_ok());
        }
        assert_eq!((won, store.size()), (1, 1));
    });
}

#[test]
fn chained_appends_keep_the_order_of_their_calls_and_share_commits() {
    run(async {
        let (_dir, path) = room();
        let store = Store::open(&path).await.unwrap();
        let tickets: Vec<_> = (0..1000)
            .map(|n| {
                let append =
                    Append { expected_size: n, entries: vec![entry(n)], ..Append::default() };
                store.submit(append).unwrap()
            })
            .collect();
        for (n, ticket) in (1..).zip(tickets) {
            assert_eq!(ticket.done().await, Ok(n));
        }
        let all = store.read(0, 1000).await.unwrap();
        assert_eq!(all, (0..1000).map(entry).collect::<Vec<_>>());
    });
}

#[test]
fn row_15_a_second_process_on_one_ledger_is_refused() {
    run(async {
        let (_dir, path) = room();
        let store = Store::open(&path).await.unwrap();
        let refused = Store::open(&path).await.err().unwrap();
        assert!(refused.why().contains("another process"), "{refused}");
        store.close().await;
        assert!(Store::open(&path).await.is_ok());
    });
}

#[test]
fn row_15_a_ledger_that_its_process_is_giving_back_is_waited_for_no_longer_than_was_asked() {
    run(async {
        let (_dir, path) = room();
        let store = Store::open(&path).await.unwrap();
        assert!(Store::open_within(&path, Duration::from_millis(60)).await.is_err());
        let next = Store::open_within(&path, Duration::from_secs(60));
        let (next, ()) = tokio::join!(next, store.close());
        assert!(next.is_ok());
    });
}

#[test]
fn row_15_a_writer_whose_epoch_was_taken_over_stops_for_good() {
    run(async {
        let (_dir, path) = room();
        let store = Store::open(&path).await.unwrap();
        store.append(0, vec![entry(0)]).await.unwrap();
        tamper(&path, "UPDATE meta SET value = value + 1").await;
        assert!(matches!(store.append(1, vec![entry(1)]).await, Err(AppendError::Fault(_))));
        assert!(store.broken().await.why().contains("taken"), "the process is told to end");
        assert!(matches!(store.append(1, vec![entry(1)]).await, Err(AppendError::Fault(_))));
        assert_eq!(store.read(0, 9).await.unwrap(), [entry(0)], "reads still work");
    });
}

#[test]
fn row_08_a_full_disk_refuses_appends_keeps_reads_and_recovers() {
    run(async {
        let (_dir, path) = room();
        let store = Store::open(&path).await.unwrap();
        store.append(0, vec![entry(0)]).await.unwrap();
        let pages = "PRAGMA max_page_count = 1";
        store.0.commands.send(writer::Command::Pragma(pages)).await.unwrap();
        let big = vec![7; 200_000];
        assert_eq!(store.append(1, vec![big.clone()]).await, Err(AppendError::Full));
        assert_eq!(store.read(0, 9).await.unwrap(), [entry(0)]);
        assert_eq!(store.size(), 1);
        let pages = "PRAGMA max_page_count = 1073741823";
        store.0.commands.send(writer::Command::Pragma(pages)).await.unwrap();
        assert_eq!(store.append(1, vec![big]).await, Ok(2));
    });
}

#[test]
fn row_63_a_ledger_of_a_later_schema_is_refused_and_left_alone() {
    run(async {
        let (_dir, path) = room();
        Store::open(&path).await.unwrap().close().await;
        tamper(&path, "PRAGMA user_version = 2").await;
        let before = std::fs::read(&path).unwrap();
        let refused = Store::open(&path).await.err().unwrap();
        assert!(refused.why().contains("schema 2"), "{refused}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
    });
}

#[test]
fn a_file_that_is_not_a_ledger_is_refused() {
    run(async {
        let (_dir, path) = room();
        std::fs::write(&path, b"this is not a database, it is a letter to a friend").unwrap();
        assert!(Store::open(&path).await.is_err());
    });
}

#[test]
fn a_changed_missing_or_renumbered_last_entry_is_found_on_opening() {
    for sql in [
        "UPDATE entries SET bytes = x'00' WHERE idx = 299",
        "UPDATE entries SET leaf = zeroblob(32) WHERE idx = 280",
        "DELETE FROM entries WHERE idx = 290",
        "DELETE FROM entries WHERE idx = 0",
        "UPDATE entries SET idx = 400 WHERE idx = 299",
        "DELETE FROM tiles WHERE level = 1",
    ] {
        run(async {
            let (_dir, path) = room();
            let store = Store::open(&path).await.unwrap();
            store.append(0, (0..300).map(entry).collect()).await.unwrap();
            store.close().await;
            tamper(&path, sql).await;
            assert!(Store::open(&path).await.is_err(), "{sql}");
        });
    }
}

async fn tamper(path: &Path, sql: &'static str) {
    use sqlx::{ConnectOptions as _, Connection as _};
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut conn = options.connect().await.unwrap();
    sqlx::query(sql).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
}

#[test]
fn an_erased_opening_is_in_no_file_any_more() {
    run(async {
        let (dir, path) = room();
        let store = Store::open(&path).await.unwrap();
        let commitment = Digest::of("quorate/test/v1", b"1");
        let other = Digest::of("quorate/test/v1", b"2");
        let append = Append {
            expected_size: 0,
            entries: vec![entry(0)],
            openings: vec![
                (commitment, "Ada Lovelace, St James's Square".to_owned()),
                (other, "kept".to_owned()),
            ],
            values: vec![("mark".to_owned(), vec![1])],
        };
        store.submit(append).unwrap().done().await.unwrap();
        assert!(store.opening(&commitment).await.unwrap().is_some());
        assert!(found(dir.path(), b"Lovelace"), "the search works");
        store.erase(vec![commitment]).await.unwrap();
        assert_eq!(store.opening(&commitment).await.unwrap(), None);
        assert!(!found(dir.path(), b"Lovelace"));
        assert_eq!(store.opening(&other).await.unwrap().as_deref(), Some("kept"));
        assert_eq!(store.get("mark").await.unwrap(), Some(vec![1]));
        assert_eq!(store.read(0, 9).await.unwrap(), [entry(0)], "the entry stays");
    });
}

fn found(dir: &Path, needle: &[u8]) -> bool {
    let files = std::fs::read_dir(dir).unwrap().map(|file| file.unwrap().path());
    let mut bytes = files.map(|file| std::fs::read(file).unwrap());
    bytes.any(|bytes| bytes.windows(needle.len()).any(|window| window == needle))
}

#[test]
fn the_latest_snapshot_and_value_of_a_name_are_kept() {
    run(async {
        let (_dir, path) = room();
        let store = Store::open(&path).await.unwrap();
        assert_eq!(store.snapshot("book").await.unwrap(), None);
        store.put_snapshot("book", 1, vec![1]).await.unwrap();
        store.put_snapshot("book", 2, vec![2]).await.unwrap();
        store.put("key", vec![3]).await.unwrap();
        store.put("key", vec![4]).await.unwrap();
        store.close().await;
        let store = Store::open(&path).await.unwrap();
        assert_eq!(store.snapshot("book").await.unwrap(), Some((2, vec![2])));
        assert_eq!(store.get("key").await.unwrap(), Some(vec![4]));
        assert_eq!(store.get("none").await.unwrap(), None);
    });
}

#[test]
fn the_files_are_readable_by_their_owner_only() {
    use std::os::unix::fs::MetadataExt as _;
    run(async {
        let (dir, path) = room();
        let store = Store::open(&path).await.unwrap();
        store.append(0, vec![entry(0)]).await.unwrap();
        for file in std::fs::read_dir(dir.path()).unwrap() {
            let file = file.unwrap();
            assert_eq!(file.metadata().unwrap().mode() & 0o077, 0, "{:?}", file.path());
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn proofs_from_the_stored_tiles_are_those_of_the_whole_tree_however_appends_are_cut(
        cuts in proptest::collection::vec(1_u64..700, 1..5), pick in any::<u64>()
    ) {
        run(async {
            let (_dir, path) = room();
            let mut store = Store::open(&path).await.unwrap();
            let mut size = 0;
            for cut in cuts {
                let entries = (size..size + cut).map(entry).collect();
                size = store.append(size, entries).await.unwrap();
                if cut % 2 == 0 {
                    store.close().await;
                    store = Store::open(&path).await.unwrap();
                }
            }
            let mut whole = quorate_ledger::Tree::new();
            (0..size).for_each(|n| whole.push(quorate_ledger::hash::leaf(&entry(n))));
            for index in [0, pick % size, size - 1] {
                use quorate_ledger::proof::{consistency, inclusion};
                let from_store = store.with_hashes(move |hashes| {
                    (inclusion(hashes, index, size), consistency(hashes, index.max(1), size))
                });
                let (included, consistent) = from_store.await.unwrap();
                assert_eq!(included.unwrap(), inclusion(&whole, index, size).unwrap());
                let expected = consistency(&whole, index.max(1), size).unwrap();
                assert_eq!(consistent.unwrap(), expected);
            }
        });
    }
}

/// Appends `count` entries from each of `writers` tasks that share one sequence; gives the time that it took.
async fn timed(writers: u64, count: u64) -> Duration {
    let (_dir, path) = room();
    let store = Store::open(&path).await.unwrap();
    let next = Arc::new(std::sync::Mutex::new(0_u64));
    let start = std::time::Instant::now();
    let all: Vec<_> = (0..writers)
        .map(|_| {
            let (store, next) = (store.clone(), Arc::clone(&next));
            tokio::spawn(async move {
                for _ in 0..count {
                    let ticket = {
                        let mut n = next.lock().unwrap();
                        let entries = vec![vec![7; 330]];
                        let append = Append { expected_size: *n, entries, ..Append::default() };
                        *n += 1;
                        store.submit(append).unwrap()
                    };
                    ticket.done().await.unwrap();
                }
            })
        })
        .collect();
    for one in all {
        one.await.unwrap();
    }
    assert_eq!(store.size(), writers * count);
    start.elapsed()
}

#[test]
fn writers_that_wait_together_share_the_flushes() {
    run(async {
        let alone = timed(1, 50).await / 50;
        let together = timed(64, 50).await / (64 * 50);
        println!("alone {alone:?} an entry, 64 together {together:?}");
        assert!(together < alone, "{together:?} {alone:?}");
    });
}
