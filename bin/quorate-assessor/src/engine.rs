//! The SQL engine: verified entries as tables in memory, read by queries that can do nothing else.
//!
//! Invariant: a query reads tables and views of the model, calls functions of a short list, and ends within a number of steps
//! and rows. It writes nothing, opens nothing and loads nothing.

mod near;

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

pub(crate) use near::Near;

/// Steps of SQLite's machine between two looks at the budget.
const STEPS_PER_LOOK: u32 = 10_000;
/// Looks that one query may take: half a billion steps, some ten seconds.
const LOOKS_MAX: u64 = 50_000;
/// Rows that one query may give.
const ROWS_MAX: u64 = 10_000_000;
/// Memory that SQLite may take in this process, in bytes: a query that wants more has no answer.
const HEAP_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// Prepared inserts that are kept: one for each kind.
const STATEMENTS: usize = 128;
/// The longest query, in bytes.
const QUERY_BYTES_MAX: i32 = 65_536;
/// The longest text or row, in bytes.
const VALUE_BYTES_MAX: i32 = 4 * 1024 * 1024;

/// Columns by which queries join tables; they get an index.
const KEYS: [&str; 6] = ["case", "wallet", "person", "alert", "credential", "party"];

/// What a query may call. Nothing here reads a file, a clock or chance.
const FUNCTIONS: [&str; 35] = [
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
    "lag",
    "lead",
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

/// Columns by kind.
pub(crate) type Reads = BTreeMap<String, BTreeSet<String>>;

/// Tables of entries, being filled and then asked.
pub(crate) struct Engine {
    db: Connection,
    model: Model,
    gate: Gate,
    /// What some query reads; nothing else is loaded.
    wanted: Reads,
    /// By entry of ours: the kinds that it fills, each with its fields and its statement.
    inserts: BTreeMap<String, Vec<Insert>>,
}

/// How one kind's rows are written.
struct Insert {
    kind: Kind,
    fields: Vec<String>,
    /// The fields of an entry's body that these are taken from.
    heads: BTreeSet<String>,
    sql: String,
}

/// What the hooks share with the engine.
#[derive(Clone, Default)]
struct Gate {
    /// Whether queries of others are running: then only reading is allowed.
    closed: Arc<AtomicU64>,
    /// Looks that are left to the query that runs.
    looks: Arc<AtomicU64>,
    reads: Arc<Mutex<Reads>>,
}

impl Gate {
    fn allows(&self, action: AuthAction<'_>) -> bool {
        if self.closed.load(Ordering::Relaxed) == 0 {
            return true;
        }
        match action {
            AuthAction::Select => true,
            AuthAction::Read { table_name, column_name } => {
                let mut reads = self.reads.lock().unwrap_or_else(PoisonError::into_inner);
                reads.entry(table_name.to_owned()).or_default().insert(column_name.to_owned());
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
        // Nothing here is ever rolled back: what could not be loaded ends the run, and the tables go with it.
        let journal = db.pragma_update(None, "journal_mode", "OFF");
        journal.map_err(broken)?;
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
        Ok(Self { db, model, gate, wanted: Reads::new(), inserts: BTreeMap::new() })
    }

    /// The tables and columns that a query reads, through views too. Also says whether it is a query at all.
    pub(crate) fn reads(&self, query: &str) -> Result<Reads, NoAnswer> {
        self.gate.reads.lock().unwrap_or_else(PoisonError::into_inner).clear();
        drop(self.prepare(query)?);
        self.gate.shut(false);
        let mut reads = self.gate.reads.lock().unwrap_or_else(PoisonError::into_inner);
        let mut reads = std::mem::take(&mut *reads);
        reads.retain(|name, _| self.model.kind(name).is_some());
        Ok(reads)
    }

    /// Asks for these columns to be loaded.
    pub(crate) fn want(&mut self, reads: Reads) {
        for (kind, columns) in reads {
            self.wanted.entry(kind).or_default().extend(columns);
        }
        self.inserts.clear();
        for (name, columns) in &self.wanted {
            let Some(kind) = self.model.kind(name) else { continue };
            if let Some(source) = kind.source.clone() {
                self.inserts.entry(source).or_default().push(Insert::of(kind, columns));
                // What people say has the kind's own name, and its fields under theirs.
                let said = Kind { paths: BTreeMap::new(), ..kind.clone() };
                self.inserts.entry(name.clone()).or_default().push(Insert::of(&said, columns));
            } else {
                self.inserts.entry(name.clone()).or_default().push(Insert::of(kind, columns));
            }
        }
    }

    /// Every column of every kind.
    #[cfg(test)]
    pub(crate) fn everything(model: &Model) -> Reads {
        let all = |kind: &Kind| kind.fields.iter().cloned().collect();
        model.kinds.iter().map(|kind| (kind.name.clone(), all(kind))).collect()
    }

    /// Whether some query reads what an entry of this kind fills.
    pub(crate) fn wants(&self, entry: &str) -> bool {
        self.inserts.contains_key(entry)
    }

    /// Whether some query reads what this field of an entry of this kind fills, or it is the kind itself.
    pub(crate) fn reads_of(&self, entry: &str, field: &str) -> bool {
        let inserts = self.inserts.get(entry).into_iter().flatten();
        field == "type" || inserts.flat_map(|insert| &insert.heads).any(|head| head == field)
    }

    /// The kinds that an entry of ours fills and some query reads.
    pub(crate) fn filled_by(&self, entry: &str) -> impl Iterator<Item = &str> {
        self.inserts.get(entry).into_iter().flatten().map(|insert| insert.kind.name.as_str())
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
        let Some(inserts) = self.inserts.get(name) else { return Ok(()) };
        let (book, index) = place;
        let first = [
            Value::Text(book.to_owned()),
            Value::Integer(i64::try_from(index).unwrap_or(i64::MAX)),
            Value::Text(model::instant(at)),
            signer.map_or(Value::Null, |signer| Value::Text(signer.to_owned())),
        ];
        for Insert { kind, fields, sql, .. } in inserts {
            let columns: Vec<Value> = fields.iter().map(|name| kind.column(name, body)).collect();
            let row = first.iter().chain(&columns).map(Bound);
            let mut statement = self.db.prepare_cached(sql).map_err(broken)?;
            statement.execute(rusqlite::params_from_iter(row)).map_err(broken)?;
        }
        Ok(())
    }

    /// Begins or ends one transaction around a load of many entries.
    pub(crate) fn batch(&self, begin: bool) -> Result<(), Fault> {
        if begin {
            return self.db.execute_batch("BEGIN").map_err(broken);
        }
        let mut end = String::new();
        for insert in self.inserts.values().flatten() {
            let table = &insert.kind.name;
            for name in KEYS.iter().filter(|name| insert.fields.iter().any(|field| field == *name))
            {
                let index = format!(
                    "CREATE INDEX IF NOT EXISTS \"{table}_{name}\" ON \"{table}\" (\"{name}\");"
                );
                end.push_str(&index);
            }
        }
        self.db.execute_batch(&format!("{end}COMMIT;ANALYZE")).map_err(broken)
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

impl Insert {
    fn of(kind: &Kind, wanted: &BTreeSet<String>) -> Self {
        let fields: Vec<String> =
            kind.fields.iter().filter(|field| wanted.contains(*field)).cloned().collect();
        let holes = vec!["?"; fields.len().saturating_add(4)].join(", ");
        let names: String = fields.iter().map(|field| format!(", \"{field}\"")).collect();
        let table = &kind.name;
        let sql =
            format!("INSERT INTO \"{table}\" (book, idx, at, signer{names}) VALUES ({holes})");
        let heads = fields.iter().map(|field| kind.head(field).to_owned()).collect();
        Self { kind: kind.clone(), fields, heads, sql }
    }
}

fn table(kind: &Kind) -> String {
    let column = |name: &String| format!(", \"{name}\"");
    let columns: String = kind.fields.iter().chain(&kind.unrecorded).map(column).collect();
    let table = &kind.name;
    format!("CREATE TABLE \"{table}\" (book TEXT, idx INTEGER, at TEXT, signer TEXT{columns});")
}

fn guard(db: &Connection, gate: &Gate) -> rusqlite::Result<()> {
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    // A name in double quotes that is no column must be an error, not a text.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    // A large sort or a temporary table must not reach the disk.
    db.execute_batch(&format!(
        "PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; PRAGMA hard_heap_limit = {HEAP_BYTES_MAX}"
    ))?;
    db.set_prepared_statement_cache_capacity(STATEMENTS);
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
