//! What the log is told of who comes, what they put on record, and who was refused.

use std::io::Write;
use std::sync::{Arc, Mutex};

use quorate_host::SystemClock;
use quorate_host::telemetry::{self, Format};
use tracing::level_filters::LevelFilter;

use super::world::World;

/// What was written.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// What was written since it was last taken.
    fn taken(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }
}

#[tokio::test]
async fn who_comes_what_they_record_and_whom_the_office_refuses_is_told_and_nothing_they_sent() {
    let log = Log::default();
    let lines = telemetry::into(
        Box::new(log.clone()),
        Format::Text,
        LevelFilter::INFO,
        SystemClock::shared(),
    );
    let _while_this_runs = tracing::subscriber::set_default(lines);
    let world = World::new().await;
    world.engaged().await;
    let told = log.taken();
    assert!(told.contains("recorded a step at the office") && told.contains("brick-1"), "{told}");

    let wrong = world.post_as("none", "/sign-in", &[("code", "s3cretguess")]).await;
    assert_eq!(wrong.status.as_u16(), 401);
    let told = log.taken();
    assert!(told.contains("WARN") && told.contains("wrong_code"), "{told}");
    assert!(!told.contains("s3cretguess"), "{told}");

    let eva = world.signs_in("eva").await.unwrap();
    let told = log.taken();
    assert!(told.contains("signed in at the office") && told.contains(r#"person="eva""#), "{told}");
    assert!(!told.contains(&eva), "a cookie is nobody's to read: {told}");
    assert_eq!(world.get_as(&eva, "/reports").await.status.as_u16(), 403);
    assert!(log.taken().contains("not_yours"));
    world.post_as(&eva, "/sign-out", &[]).await;
    let told = log.taken();
    assert!(told.contains("signed out at the office") && told.contains(r#"who="eva""#), "{told}");

    let eva = world.signs_in("eva").await.unwrap();
    log.taken();
    for _ in 0..200 {
        world.post_as("none", "/sign-in", &[("code", "s3cretguess")]).await;
    }
    let told = log.taken();
    assert!((1..=60).contains(&told.lines().count()), "a flood is told in few lines");
    assert_eq!(world.get_as(&eva, "/reports").await.status.as_u16(), 403);
    assert!(log.taken().contains("not_yours"), "it hides nobody who is signed in");
}
