//! The SQL engine: verified entries as tables in memory, read by queries that can do nothing else.
//!
//! Invariant: a query reads tables and views of the model, calls functions of a short list, and ends within a number of steps
//! and rows. It writes nothing, opens nothing and loads nothing.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use quorate_assessor::evidence::model::{self, Kind, Model};
use quorate_assessor::evidence::{Answer, NoAnswer, Row, Rows, Value};
use quorate_host::Fault;
use quorate_terms::Timestamp;
use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Statement, ToSql};
use serde_json::Value as Json;

/// Steps of SQLite's machine between two looks at the budget.
const STEPS_PER_LOOK: u32 = 10_000;
/// Looks that one query may take: half a billion steps, some ten seconds.
const LOOKS_MAX: u64 = 50_000;
/// Rows that one query may give.
const ROWS_MAX: u64 = 10_000_000;
/// The longest query, in bytes.
const QUERY_BYTES_MAX: i32 = 65_536;
/// The longest text or row, in bytes.
const VALUE_BYTES_MAX: i32 = 4 * 1024 * 1024;

/// What a query may call. Nothing here reads a file, a clock or chance.
const FUNCTIONS: [&str; 33] = [
    "abs",
    "avg",
    "coalesce",
    "count",
    "format",
    "glob",
    "group_concat",
    "ifnull",
    "iif",
    "instr",
    "json",
    "json_array_length",
    "json_extract",
    "json_group_array",
    "json_type",
    "json_valid",
    "julianday",
    "length",
    "like",
    "lower",
    "ltrim",
    "max",
    "min",
    "nullif",
    "replace",
    "rtrim",
    "strftime",
    "substr",
    "sum",
    "total",
    "trim",
    "typeof",
    "upper",
];

/// Tables of entries, being filled and then asked.
pub(crate) struct Engine {
    db: Connection,
    model: Model,
    gate: Gate,
    /// Kinds that some query reads; others are not loaded.
    wanted: BTreeSet<String>,
    inserts: RefCell<BTreeMap<String, String>>,
}

/// What the hooks share with the engine.
#[derive(Clone, Default)]
struct Gate {
    /// Whether queries of others are running: then only reading is allowed.
    closed: Arc<AtomicU64>,
    /// Looks that are left to the query that runs.
    looks: Arc<AtomicU64>,
    tables: Arc<Mutex<BTreeSet<String>>>,
}

impl Gate {
    fn allows(&self, action: AuthAction<'_>) -> bool {
        if self.closed.load(Ordering::Relaxed) == 0 {
            return true;
        }
        match action {
            AuthAction::Select => true,
            AuthAction::Read { table_name, .. } => {
                let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
                tables.insert(table_name.to_owned());
                !table_name.starts_with("sqlite_")
            }
            AuthAction::Function { function_name } => {
                FUNCTIONS.contains(&function_name.to_ascii_lowercase().as_str())
            }
            _ => false,
        }
    }

    fn shut(&self, is_shut: bool) {
        self.closed.store(u64::from(is_shut), Ordering::Relaxed);
        self.looks.store(LOOKS_MAX, Ordering::Relaxed);
    }
}

impl Engine {
    /// Makes the tables and views, empty.
    pub(crate) fn new(model: Model, views: &str) -> Result<Self, Fault> {
        let db = Connection::open_in_memory().map_err(broken)?;
        let gate = Gate::default();
        for kind in &model.kinds {
            db.execute_batch(&table(kind)).map_err(broken)?;
        }
        db.execute_batch(views).map_err(|e| {
            Fault::new(
                "evidence/views.sql",
                e.to_string(),
                "mend the view; see standards/README.md",
            )
        })?;
        guard(&db, &gate).map_err(broken)?;
        let inserts = RefCell::default();
        Ok(Self { db, model, gate, wanted: BTreeSet::new(), inserts })
    }

    /// The tables that a query reads, through views too. Also says whether it is a query at all.
    pub(crate) fn reads(&self, query: &str) -> Result<BTreeSet<String>, NoAnswer> {
        self.gate.tables.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.prepare(query)?;
        self.gate.shut(false);
        let tables = self.gate.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let known = tables.iter().filter(|name| self.model.kind(name).is_some());
        Ok(known.cloned().collect())
    }

    /// Asks for these kinds to be loaded.
    pub(crate) fn want(&mut self, kinds: impl IntoIterator<Item = String>) {
        self.wanted.extend(kinds);
    }

    /// Loads one verified entry. `signer` is whoever vouches for it besides the log.
    pub(crate) fn load(
        &self,
        place: (&str, u64),
        at: Timestamp,
        body: &Json,
        signer: Option<&str>,
    ) -> Result<(), Fault> {
        let Some(name) = body.get("type").and_then(Json::as_str) else { return Ok(()) };
        for kind in self.model.filled_by(name).filter(|kind| self.wanted.contains(&kind.name)) {
            self.insert(kind, place, &model::instant(at), body, signer)?;
        }
        Ok(())
    }

    fn insert(
        &self,
        kind: &Kind,
        (book, index): (&str, u64),
        at: &str,
        body: &Json,
        signer: Option<&str>,
    ) -> Result<(), Fault> {
        let mut inserts = self.inserts.borrow_mut();
        let sql = inserts.entry(kind.name.clone()).or_insert_with(|| {
            let holes = vec!["?"; kind.fields.len().saturating_add(4)].join(", ");
            let names: String = kind.fields.iter().map(|f| format!(", \"{f}\"")).collect();
            format!("INSERT INTO \"{}\" (book, idx, at, signer{names}) VALUES ({holes})", kind.name)
        });
        let mut row = vec![
            Value::Text(book.to_owned()),
            Value::Integer(i64::try_from(index).unwrap_or(i64::MAX)),
            Value::Text(at.to_owned()),
            signer.map_or(Value::Null, |signer| Value::Text(signer.to_owned())),
        ];
        row.extend(kind.row(body));
        let mut statement = self.db.prepare_cached(sql).map_err(broken)?;
        statement.execute(rusqlite::params_from_iter(row.iter().map(Bound))).map_err(broken)?;
        Ok(())
    }

    /// Begins or ends one transaction around a load of many entries.
    pub(crate) fn batch(&self, begin: bool) -> Result<(), Fault> {
        self.db.execute_batch(if begin { "BEGIN" } else { "COMMIT; ANALYZE" }).map_err(broken)
    }

    /// Prepares a query of others behind the shut gate; the gate stays shut for running it.
    fn prepare(&self, query: &str) -> Result<Statement<'_>, NoAnswer> {
        self.gate.shut(true);
        let prepared = self.db.prepare(query).map_err(|e| no(&e));
        let checked = prepared.and_then(|statement| {
            let answers = statement.readonly() && statement.column_count() > 0;
            if answers && statement.is_explain() == 0 {
                return Ok(statement);
            }
            Err(NoAnswer { why: "it is not a query; write one SELECT".to_owned() })
        });
        if checked.is_err() {
            self.gate.shut(false);
        }
        checked
    }
}

impl Rows for Engine {
    fn ask(
        &self,
        query: &str,
        parameters: &BTreeMap<String, Value>,
        keep: usize,
    ) -> Result<Answer, NoAnswer> {
        let mut statement = self.prepare(query)?;
        let answer = run(&mut statement, parameters, keep);
        self.gate.shut(false);
        answer
    }
}

fn run(
    statement: &mut Statement<'_>,
    parameters: &BTreeMap<String, Value>,
    keep: usize,
) -> Result<Answer, NoAnswer> {
    for place in 1..=statement.parameter_count() {
        let name =
            statement.parameter_name(place).unwrap_or("?").trim_start_matches(':').to_owned();
        let value = parameters
            .get(&name)
            .ok_or_else(|| NoAnswer { why: format!("it names `:{name}`, which nobody set") })?;
        statement.raw_bind_parameter(place, Bound(value)).map_err(|e| no(&e))?;
    }
    let names: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
    let mut answer = Answer { count: 0, rows: Vec::new() };
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(|e| no(&e))? {
        if answer.count >= ROWS_MAX {
            return Err(NoAnswer { why: format!("it gives more than {ROWS_MAX} rows") });
        }
        answer.count = answer.count.saturating_add(1);
        if answer.rows.len() < keep {
            answer.rows.push(read(row, &names)?);
        }
    }
    Ok(answer)
}

fn read(row: &rusqlite::Row<'_>, names: &[String]) -> Result<Row, NoAnswer> {
    let mut columns = Row::new();
    for (place, name) in names.iter().enumerate() {
        let value = match row.get_ref(place).map_err(|e| no(&e))? {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(number) => Value::Integer(number),
            ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
            ValueRef::Real(_) | ValueRef::Blob(_) => {
                let why = format!("column `{name}` is no text or whole number; cast it");
                return Err(NoAnswer { why });
            }
        };
        columns.insert(name.clone(), value);
    }
    Ok(columns)
}

fn table(kind: &Kind) -> String {
    let column = |name: &String| format!(", \"{name}\"");
    let columns: String = kind.fields.iter().chain(&kind.unrecorded).map(column).collect();
    let index = |name: &str| {
        let table = &kind.name;
        let known = kind.fields.iter().any(|field| field == name);
        if known {
            format!("CREATE INDEX \"{table}_{name}\" ON \"{table}\" (\"{name}\");")
        } else {
            String::new()
        }
    };
    let indexes: String =
        ["case", "wallet", "person", "alert", "credential", "party"].map(index).concat();
    format!(
        "CREATE TABLE \"{}\" (book TEXT, idx INTEGER, at TEXT, signer TEXT{columns});{indexes}",
        kind.name
    )
}

fn guard(db: &Connection, gate: &Gate) -> rusqlite::Result<()> {
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    // A name in double quotes that is no column must be an error, not a text.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    db.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    db.set_limit(Limit::SQLITE_LIMIT_SQL_LENGTH, QUERY_BYTES_MAX)?;
    db.set_limit(Limit::SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX)?;
    db.set_limit(Limit::SQLITE_LIMIT_EXPR_DEPTH, 100)?;
    db.set_limit(Limit::SQLITE_LIMIT_COMPOUND_SELECT, 20)?;
    let eyes = gate.clone();
    db.authorizer(Some(move |context: AuthContext<'_>| {
        if eyes.allows(context.action) { Authorization::Allow } else { Authorization::Deny }
    }))?;
    let looks = gate.clone();
    let steps = i32::try_from(STEPS_PER_LOOK).unwrap_or(i32::MAX);
    db.progress_handler(
        steps,
        Some(move || {
            let shut = looks.closed.load(Ordering::Relaxed) != 0;
            shut && looks.looks.fetch_sub(1, Ordering::Relaxed) <= 1
        }),
    )
}

struct Bound<'a>(&'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Integer(number) => ValueRef::Integer(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

fn no(error: &rusqlite::Error) -> NoAnswer {
    let text = error.to_string();
    let why = if text.contains("interrupted") {
        "it takes too many steps; ask for less".to_owned()
    } else {
        text.replace('\n', " ")
    };
    NoAnswer { why }
}

fn broken(error: rusqlite::Error) -> Fault {
    Fault::new("evidence tables", error.to_string(), "check the standards folder and free memory")
}

#[cfg(test)]
mod tests;
