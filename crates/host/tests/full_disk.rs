//! A real file system that is really full. Needs the right to mount; where that is missing, the store's own test with a
//! page limit (`row_08_a_full_disk_refuses_appends_keeps_reads_and_recovers`) stands alone and this one says so.

use std::path::Path;
use std::process::Command;

use quorate_host::Store;
use quorate_host::store::AppendError;

struct Mount<'a>(&'a Path);

impl<'a> Mount<'a> {
    fn new(dir: &'a Path) -> Option<Self> {
        let args = ["-t", "tmpfs", "-o", "size=4m", "tmpfs"];
        let done = Command::new("mount").args(args).arg(dir).output();
        done.is_ok_and(|out| out.status.success()).then_some(Self(dir))
    }
}

impl Drop for Mount<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).output();
    }
}

#[test]
fn row_08_a_full_file_system_refuses_appends_keeps_reads_and_recovers() {
    let dir = tempfile::tempdir().unwrap();
    let Some(_mount) = Mount::new(dir.path()) else {
        println!("skipped: this user may not mount");
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::open(&dir.path().join("ledger.db")).await.unwrap();
        let mut size = store.append(0, vec![vec![1; 1000]]).await.unwrap();
        let ballast = dir.path().join("ballast");
        let filled = std::fs::write(&ballast, vec![0; 8_000_000]);
        assert!(filled.is_err(), "the disk is full");
        let refused = loop {
            match store.append(size, vec![vec![2; 100_000]]).await {
                Ok(larger) => size = larger,
                Err(error) => break error,
            }
        };
        assert_eq!(refused, AppendError::Full);
        assert_eq!(store.size(), size);
        assert_eq!(store.read(0, 1).await.unwrap(), [vec![1; 1000]]);
        assert_eq!(store.append(size, vec![vec![3; 100_000]]).await, Err(AppendError::Full));
        std::fs::remove_file(&ballast).unwrap();
        assert_eq!(store.append(size, vec![vec![4; 100_000]]).await, Ok(size + 1));
        store.close().await;
        let store = Store::open(&dir.path().join("ledger.db")).await.unwrap();
        assert_eq!(store.size(), size + 1);
    });
}
