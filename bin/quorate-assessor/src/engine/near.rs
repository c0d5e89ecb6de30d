//! What lies near new entries: the rows of their own cases, beside everything that is rarely written and the cases that came
//! first, because "somebody's first" is seldom somebody's newest.
//!
//! A control that is local ([`Decision::local`](quorate_assessor::standard::Decision)) is asked of these few rows, once
//! without the new ones and once with them. Where both give the same counts, the verdict over the whole book is what it was.
//! Where they differ, or where it cannot be told, the whole book is asked.

use std::collections::{BTreeMap, BTreeSet};

use quorate_assessor::assess::{Counts, Question, counts};
use quorate_assessor::evidence::Rows;
use quorate_assessor::finding::{Finding, State};
use quorate_assessor::standard::ControlKey;
use quorate_host::Fault;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::{Engine, Reads, broken};

/// Rows that are near; with more, nothing is saved by leaving out the rest.
const ROWS_MAX: usize = 2_000;

/// Rows of each table of cases that count as the first ones.
const FIRST_ROWS: i64 = 32;

/// See the module.
pub(crate) struct Near {
    /// Everything that is rarely written and that local controls read; tables of cases are empty between two questions.
    engine: Engine,
    /// The tables of cases with their links, and how far each was looked at.
    tables: Vec<Table>,
    /// How many rows of each of them count as the first.
    first: i64,
}

struct Table {
    name: String,
    links: Vec<String>,
    seen: i64,
}

/// One row of a table of cases.
struct Row {
    table: usize,
    is_new: bool,
    values: Vec<Value>,
}

impl Near {
    /// Beside tables that are filled: `local` is what each local control reads.
    pub(crate) fn of(
        full: &Engine,
        views: &str,
        local: impl IntoIterator<Item = Reads>,
    ) -> Result<Self, Fault> {
        let mut engine = Engine::new(full.model.clone(), views)?;
        local.into_iter().for_each(|reads| engine.want(reads));
        let reads = engine.wanted.clone();
        let mut tables = Vec::new();
        for kind in full.model.kinds.iter().filter(|kind| reads.contains_key(&kind.name)) {
            let name = kind.name.clone();
            if kind.links.is_empty() {
                copy(&full.db, &engine.db, &name)?;
            } else {
                let links = kind.links.clone();
                index(&full.db, &name, &links)?;
                tables.push(Table { seen: last(&full.db, &name)?, name, links });
            }
        }
        for inserts in engine.inserts.values_mut() {
            inserts.retain(|insert| insert.kind.links.is_empty());
        }
        engine.inserts.retain(|_, inserts| !inserts.is_empty());
        Ok(Self { engine, tables, first: FIRST_ROWS })
    }

    /// Beside what is rarely written, only the new rows' own cases: a small book's first rows are the whole of it.
    #[cfg(test)]
    pub(crate) const fn without_first(mut self) -> Self {
        self.first = 0;
        self
    }

    /// The population of a finding that changes only as rows do; none for another.
    pub(crate) fn may_tell(finding: &Finding) -> Option<u64> {
        let part = finding.machine.as_ref().filter(|_| finding.state != State::Stale);
        part.map(|part| part.population)
    }

    /// Takes what is rarely written; entries of cases are taken from the full tables when they are looked at.
    pub(crate) const fn rare(&self) -> &Engine {
        &self.engine
    }

    /// Whether a kind is written by every case.
    pub(crate) fn is_of_cases(&self, kind: &str) -> bool {
        self.tables.iter().any(|table| table.name == kind)
    }

    /// Of some local controls of whose findings this [may tell](Near::may_tell), each with its population, those whose
    /// verdict is what it was before the entries came that were loaded since the last look.
    pub(crate) fn unchanged(
        &mut self,
        full: &Engine,
        questions: &[(Question<'_>, u64)],
    ) -> Result<BTreeSet<ControlKey>, Fault> {
        // Also where nothing is asked: what is looked at now is not new the next time.
        let rows = self.surround(&full.db)?;
        let Some(rows) = rows.filter(|_| !questions.is_empty()) else {
            return Ok(BTreeSet::new());
        };
        let before = self.asked(rows.iter().filter(|row| !row.is_new), questions)?;
        let after = self.asked(rows.iter(), questions)?;
        let same = questions.iter().filter(|(question, whole)| {
            match (before.get(&question.control), after.get(&question.control)) {
                (Some(before), Some(after)) => after.change_nothing(*before, *whole),
                _ => false,
            }
        });
        Ok(same.map(|(question, _)| question.control.clone()).collect())
    }

    /// What each question counts among these rows and everything rare; none where one has no answer.
    fn asked<'a>(
        &self,
        rows: impl Iterator<Item = &'a Row>,
        questions: &[(Question<'_>, u64)],
    ) -> Result<BTreeMap<ControlKey, Counts>, Fault> {
        for row in rows {
            let Some(table) = self.tables.get(row.table) else { continue };
            put(&self.engine.db, &table.name, &row.values)?;
        }
        let ask = |(question, _): &(Question<'_>, u64)| {
            let rows: &dyn Rows = &self.engine;
            Some((question.control.clone(), counts(question, rows).ok()?))
        };
        let counted = questions.iter().filter_map(ask).collect();
        for table in &self.tables {
            let clear = format!("DELETE FROM \"{}\"", table.name);
            self.engine.db.execute(&clear, []).map_err(broken)?;
        }
        Ok(counted)
    }

    /// The new rows and the first, and every row that a link ties to them, directly or through others. None where they are
    /// too many.
    fn surround(&mut self, full: &Connection) -> Result<Option<Vec<Row>>, Fault> {
        let mut found = Found::default();
        for (number, table) in self.tables.iter_mut().enumerate() {
            let since = table.seen;
            table.seen = last(full, &table.name)?;
            let query = format!("SELECT rowid, * FROM \"{}\" WHERE rowid > ?", table.name);
            found.take(full, (number, table, true), &query, &Value::Integer(since))?;
            let query = format!("SELECT rowid, * FROM \"{}\" WHERE rowid <= ?", table.name);
            found.take(full, (number, table, false), &query, &Value::Integer(self.first))?;
        }
        while found.rows.len() <= ROWS_MAX
            && let Some((link, value)) = found.open.pop()
        {
            let tied = |(_, table): &(usize, &Table)| table.links.contains(&link);
            for (number, table) in self.tables.iter().enumerate().filter(tied) {
                let query = format!("SELECT rowid, * FROM \"{}\" WHERE \"{link}\" = ?", table.name);
                found.take(full, (number, table, false), &query, &value)?;
            }
        }
        // Rows that carry no link may be too many as well.
        Ok((found.rows.len() <= ROWS_MAX).then_some(found.rows))
    }
}

/// Rows on the way from the new ones outwards.
#[derive(Default)]
struct Found {
    rows: Vec<Row>,
    places: BTreeSet<(usize, i64)>,
    /// Links that are to be followed, and those that were.
    open: Vec<(String, Value)>,
    followed: BTreeSet<(String, String)>,
}

impl Found {
    fn take(
        &mut self,
        full: &Connection,
        (number, table, is_new): (usize, &Table, bool),
        query: &str,
        bound: &Value,
    ) -> Result<(), Fault> {
        let mut statement = full.prepare_cached(query).map_err(broken)?;
        let names: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
        let mut rows = statement.query([bound]).map_err(broken)?;
        while let Some(row) = rows.next().map_err(broken)? {
            let place: i64 = row.get(0).map_err(broken)?;
            if !self.places.insert((number, place)) {
                continue;
            }
            let mut values = Vec::new();
            for (at, name) in names.iter().enumerate().skip(1) {
                let value: Value = row.get(at).map_err(broken)?;
                if let (true, Value::Text(text)) = (table.links.contains(name), &value)
                    && self.followed.insert((name.clone(), text.clone()))
                {
                    self.open.push((name.clone(), value.clone()));
                }
                values.push(value);
            }
            self.rows.push(Row { table: number, is_new, values });
            if self.rows.len() > ROWS_MAX {
                break;
            }
        }
        Ok(())
    }
}

fn copy(from: &Connection, to: &Connection, table: &str) -> Result<(), Fault> {
    let mut statement = from.prepare(&format!("SELECT * FROM \"{table}\"")).map_err(broken)?;
    let columns = statement.column_count();
    let mut rows = statement.query([]).map_err(broken)?;
    while let Some(row) = rows.next().map_err(broken)? {
        let values: Result<Vec<Value>, _> = (0..columns).map(|at| row.get(at)).collect();
        put(to, table, &values.map_err(broken)?)?;
    }
    Ok(())
}

fn put(db: &Connection, table: &str, values: &[Value]) -> Result<(), Fault> {
    let holes = vec!["?"; values.len()].join(", ");
    let insert = format!("INSERT INTO \"{table}\" VALUES ({holes})");
    let mut statement = db.prepare_cached(&insert).map_err(broken)?;
    statement.execute(params_from_iter(values)).map(drop).map_err(broken)
}

fn index(db: &Connection, table: &str, links: &[String]) -> Result<(), Fault> {
    let one = |link: &String| {
        format!("CREATE INDEX IF NOT EXISTS \"{table}_{link}\" ON \"{table}\" (\"{link}\");")
    };
    db.execute_batch(&links.iter().map(one).collect::<String>()).map_err(broken)
}

/// The newest row's number; a table only grows.
fn last(db: &Connection, table: &str) -> Result<i64, Fault> {
    let query = format!("SELECT coalesce(max(rowid), 0) FROM \"{table}\"");
    db.prepare_cached(&query).and_then(|mut s| s.query_row([], |row| row.get(0))).map_err(broken)
}
