//! A small registry of counters, gauges and histograms, written in the Prometheus text format (version 0.0.4).
//!
//! Numbers are whole: times in microseconds, amounts never.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Upper bounds of histogram buckets, in microseconds: 100 us to 30 s.
const BOUNDS_US: [u64; 12] = [
    100, 500, 1_000, 5_000, 10_000, 25_000, 50_000, 100_000, 500_000, 1_000_000, 5_000_000,
    30_000_000,
];

/// A number that only grows.
#[derive(Clone, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    /// Adds to it.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// The number now.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that goes up and down.
#[derive(Clone, Default)]
pub struct Gauge(Arc<AtomicI64>);

impl Gauge {
    /// Sets it.
    pub fn set(&self, value: i64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// Adds to it.
    pub fn add(&self, value: i64) {
        self.0.fetch_add(value, Ordering::Relaxed);
    }
}

/// How long things took.
#[derive(Clone, Default)]
pub struct Histogram(Arc<Buckets>);

#[derive(Default)]
struct Buckets {
    counts: [AtomicU64; BOUNDS_US.len()],
    count: AtomicU64,
    sum: AtomicU64,
}

impl Histogram {
    /// Counts one that took so many microseconds.
    pub fn observe_us(&self, micros: u64) {
        for (bound, count) in BOUNDS_US.iter().zip(&self.0.counts) {
            if micros <= *bound {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.0.count.fetch_add(1, Ordering::Relaxed);
        self.0.sum.fetch_add(micros, Ordering::Relaxed);
    }

    /// Counts one that took so long.
    pub fn observe(&self, took: std::time::Duration) {
        self.observe_us(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }
}

enum Metric {
    Counter(Counter),
    Gauge(Gauge),
    Histogram(Histogram),
}

#[derive(Default)]
struct Family {
    help: String,
    members: BTreeMap<String, Metric>,
}

/// All metrics of a process; cheap to clone.
#[derive(Clone, Default)]
pub struct Registry(Arc<Mutex<BTreeMap<String, Family>>>);

impl Registry {
    /// An empty registry.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The counter of this name and labels, made when first asked for.
    #[must_use]
    pub fn counter(&self, name: &str, help: &str, labels: &[(&str, &str)]) -> Counter {
        self.member(name, help, labels, |old| match old {
            Some(Metric::Counter(counter)) => (counter.clone(), None),
            _ => with(Counter::default(), Metric::Counter),
        })
    }

    /// The gauge of this name and labels, made when first asked for.
    #[must_use]
    pub fn gauge(&self, name: &str, help: &str, labels: &[(&str, &str)]) -> Gauge {
        self.member(name, help, labels, |old| match old {
            Some(Metric::Gauge(gauge)) => (gauge.clone(), None),
            _ => with(Gauge::default(), Metric::Gauge),
        })
    }

    /// The histogram of this name and labels, made when first asked for; its name should end in `_us`.
    #[must_use]
    pub fn histogram(&self, name: &str, help: &str, labels: &[(&str, &str)]) -> Histogram {
        self.member(name, help, labels, |old| match old {
            Some(Metric::Histogram(histogram)) => (histogram.clone(), None),
            _ => with(Histogram::default(), Metric::Histogram),
        })
    }

    fn member<M>(
        &self,
        name: &str,
        help: &str,
        labels: &[(&str, &str)],
        pick: impl FnOnce(Option<&Metric>) -> (M, Option<Metric>),
    ) -> M {
        let labels: Vec<_> =
            labels.iter().map(|(k, v)| format!("{k}=\"{}\"", escaped(v))).collect();
        let labels = labels.join(",");
        let mut families = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let family = families.entry(name.to_owned()).or_default();
        if family.help.is_empty() {
            family.help = help.replace(['\n', '\\'], " ");
        }
        let (found, new) = pick(family.members.get(&labels));
        if let Some(new) = new {
            family.members.insert(labels, new);
        }
        found
    }

    /// Everything, as a scrape expects it.
    #[must_use]
    pub fn text(&self) -> String {
        let families = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut out = String::new();
        for (name, family) in &*families {
            let kind = match family.members.values().next() {
                Some(Metric::Counter(_)) => "counter",
                Some(Metric::Gauge(_)) => "gauge",
                _ => "histogram",
            };
            let help = &family.help;
            let _infallible = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for (labels, metric) in &family.members {
                metric.write(&mut out, name, labels);
            }
        }
        out
    }
}

fn with<M: Clone>(new: M, wrap: impl FnOnce(M) -> Metric) -> (M, Option<Metric>) {
    (new.clone(), Some(wrap(new)))
}

impl Metric {
    fn write(&self, out: &mut String, name: &str, labels: &str) {
        let braces = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        let _infallible = match self {
            Self::Counter(counter) => writeln!(out, "{name}{braces} {}", counter.get()),
            Self::Gauge(gauge) => {
                writeln!(out, "{name}{braces} {}", gauge.0.load(Ordering::Relaxed))
            }
            Self::Histogram(histogram) => {
                let comma = if labels.is_empty() { "" } else { "," };
                let total = histogram.0.count.load(Ordering::Relaxed);
                for (bound, count) in BOUNDS_US.iter().zip(&histogram.0.counts) {
                    let count = count.load(Ordering::Relaxed).min(total);
                    let _infallible =
                        writeln!(out, "{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {count}");
                }
                let sum = histogram.0.sum.load(Ordering::Relaxed);
                writeln!(
                    out,
                    "{name}_bucket{{{labels}{comma}le=\"+Inf\"}} {total}\n{name}_sum{braces} {sum}\n{name}_count{braces} {total}"
                )
            }
        };
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_what_a_scrape_expects() {
        let registry = Registry::new();
        registry.counter("quorate_appends_total", "Appends.", &[("vault", "a\"b")]).add(2);
        registry.counter("quorate_appends_total", "Appends.", &[("vault", "a\"b")]).add(1);
        registry.gauge("quorate_cases", "Open cases.", &[]).set(-1);
        registry.histogram("quorate_sign_us", "Signing.", &[]).observe_us(600);
        let text = registry.text();
        for line in [
            "# HELP quorate_appends_total Appends.",
            "# TYPE quorate_appends_total counter",
            "quorate_appends_total{vault=\"a\\\"b\"} 3",
            "quorate_cases -1",
            "# TYPE quorate_sign_us histogram",
            "quorate_sign_us_bucket{le=\"500\"} 0",
            "quorate_sign_us_bucket{le=\"1000\"} 1",
            "quorate_sign_us_bucket{le=\"+Inf\"} 1",
            "quorate_sign_us_sum 600",
            "quorate_sign_us_count 1",
        ] {
            assert!(text.lines().any(|l| l == line), "{line}\nin\n{text}");
        }
    }
}
