use super::*;
use serde_json::json;

const MODEL: &str = include_str!("../../../../standards/evidence/model.toml");
const VIEWS: &str = include_str!("../../../../standards/evidence/views.sql");

fn engine() -> Engine {
    let mut engine = Engine::new(Model::load(MODEL).unwrap(), VIEWS).unwrap();
    let mut wanted = Engine::everything(&engine.model);
    wanted.retain(|kind, _| ["Heartbeat", "ConfigurationCaptured"].contains(&kind.as_str()));
    engine.want(wanted);
    engine
}

fn beat(engine: &Engine, index: u64) {
    let body = json!({ "type": "Heartbeat", "source": "desk", "sequence": index });
    engine.load(("vault", index), Timestamp::from_millis(index), &body, None).unwrap();
}

fn ask(engine: &Engine, query: &str) -> Result<Answer, NoAnswer> {
    engine.ask(query, &BTreeMap::from([("n".to_owned(), Value::Integer(1))]), 2)
}

#[test]
fn entries_become_rows_and_answers_keep_the_whole_count() {
    let engine = engine();
    (0..5).for_each(|n| beat(&engine, n));
    let answer = ask(&engine, "SELECT book, idx, at FROM Heartbeat WHERE idx >= :n").unwrap();
    assert_eq!((answer.count, answer.rows.len()), (4, 2));
    assert_eq!(answer.rows[0]["at"], Value::Text("1970-01-01T00:00:00.001Z".into()));
    let body = json!({ "type": "Filed" });
    engine.load(("vault", 9), Timestamp::ZERO, &body, None).unwrap();
}

#[test]
fn a_kind_is_filled_by_the_entry_of_another_name_and_by_what_people_say_under_its_own() {
    let mut engine = engine();
    let all = Engine::everything(&engine.model);
    engine.want(all.into_iter().filter(|(kind, _)| kind == "BackupMade").collect());
    let statement = json!({ "body": { "epoch": 0, "cosigner": "c1", "backup": "ab12" } });
    let proven = json!({ "type": "BackupVerified", "wallet": "hot", "statement": statement });
    engine.load(("vault", 1), Timestamp::ZERO, &proven, None).unwrap();
    let said = json!({ "type": "BackupMade", "backup": "b-1", "wallet": "hot", "epoch": 0, "holder": "c1",
        "digest": "ab12", "seal": "s-9" });
    engine.load(("office", 2), Timestamp::ZERO, &said, Some("person-bo")).unwrap();
    let query = "SELECT holder, digest, epoch, seal FROM BackupMade WHERE digest = 'ab12' AND epoch = 0 AND :n = 1
                 ORDER BY idx";
    let rows = ask(&engine, query).unwrap().rows;
    let seals: Vec<&Value> = rows.iter().map(|row| &row["seal"]).collect();
    assert_eq!(seals, [&Value::Null, &Value::Text("s-9".to_owned())]);
}

#[test]
fn a_query_can_read_and_do_nothing_else() {
    let engine = engine();
    beat(&engine, 0);
    for query in [
        "DELETE FROM Heartbeat",
        "INSERT INTO Heartbeat (book) VALUES ('x')",
        "UPDATE Heartbeat SET book = 'x'",
        "DROP TABLE Heartbeat",
        "CREATE TABLE x (y)",
        "ATTACH ':memory:' AS other",
        "PRAGMA writable_schema = ON",
        "PRAGMA table_info(Heartbeat)",
        "SELECT load_extension('x')",
        "SELECT readfile('/etc/passwd')",
        "SELECT random()",
        "SELECT * FROM sqlite_master",
        "BEGIN",
        "VACUUM",
        "EXPLAIN SELECT 1",
        "EXPLAIN QUERY PLAN SELECT 1",
        "SELECT 1; DELETE FROM Heartbeat",
        "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT n FROM r",
        "SELECT x FROM nothing",
        "SELECT \"no such column\" FROM Heartbeat",
        "SELECT 0.5",
        "SELECT :unset",
        "",
    ] {
        let no = ask(&engine, query).unwrap_err();
        assert!(!no.why.is_empty() && !no.why.contains('\n'), "{query}");
    }
    assert_eq!(ask(&engine, "SELECT idx FROM Heartbeat").unwrap().count, 1, "nothing was changed");
}

#[test]
fn a_query_that_never_ends_is_ended_and_the_next_one_runs() {
    let engine = engine();
    (0..2000).for_each(|n| beat(&engine, n));
    let from = ["Heartbeat"; 4].join(", ");
    let from: String = from.split(", ").zip('a'..).map(|(t, a)| format!("{t} {a}, ")).collect();
    let query = format!("SELECT count(*) AS n FROM {}", from.trim_end_matches(", "));
    let mut statement = engine.prepare(&query).unwrap();
    engine.gate.looks.store(3, Ordering::Relaxed);
    let ended = run(&mut statement, &BTreeMap::new(), 1);
    assert!(ended.unwrap_err().why.contains("too many steps"));
    assert_eq!(ask(&engine, "SELECT idx FROM Heartbeat").unwrap().count, 2000);
}

#[test]
fn an_engine_says_which_kinds_a_query_reads_through_views_too() {
    let engine = engine();
    let reads = engine.reads("SELECT book, idx FROM live_credential").unwrap();
    let kinds: Vec<&String> = reads.keys().collect();
    assert_eq!(kinds, ["CredentialEnrolled", "CredentialRevoked"]);
    assert!(reads["CredentialRevoked"].contains("credential"));
    assert!(engine.reads("DELETE FROM Heartbeat").is_err());
    beat(&engine, 0);
    assert_eq!(
        ask(&engine, "SELECT idx FROM Heartbeat").unwrap().count,
        1,
        "and takes entries after"
    );
}

#[test]
fn every_view_can_be_read() {
    let engine = engine();
    let names = VIEWS.lines().filter_map(|line| line.strip_prefix("CREATE VIEW "));
    let names: Vec<&str> = names.map(|rest| rest.split(' ').next().unwrap()).collect();
    assert!(names.len() >= 12);
    for name in names {
        ask(&engine, &format!("SELECT * FROM {name}")).unwrap();
    }
}

#[test]
fn the_newest_capture_of_each_party_is_its_configuration() {
    let engine = engine();
    for (index, party, value) in [(1, "c1", "old"), (2, "c2", "x"), (3, "c1", "new")] {
        let body = json!({ "type": "ConfigurationCaptured", "party": party,
            "values": { "storage.drbg": value, "storage.core_dumps": false } });
        engine.load(("vault", index), Timestamp::from_millis(index), &body, None).unwrap();
    }
    let query =
        "SELECT party, value FROM latest_configuration WHERE key = 'storage.drbg' ORDER BY party";
    let rows = ask(&engine, query).unwrap().rows;
    assert_eq!(rows[0]["value"], Value::Text("new".into()));
    let query =
        "SELECT party FROM latest_configuration WHERE key = 'storage.core_dumps' AND value = 0";
    assert_eq!(ask(&engine, query).unwrap().count, 2);
}
