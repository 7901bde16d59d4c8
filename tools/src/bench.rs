//! `kring bench`: what this machine does, beside what it should do.
//!
//! # In scope
//! Medians of short runs of the real code: the rules on one core, the store on the disk that matters, and one running
//! network.
//!
//! # Out of scope
//! Large networks (`kring simulate`) and whether results are right, which tests say.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::command::bench::Args;
use crate::output::{Failure, Output, note};

mod evaluation;
mod network;
pub(crate) mod recognition;
mod store;
mod submission;

/// Runs of which the median is taken.
const RUNS: usize = 5;
/// Shortest time of one run.
const RUN_TIME: Duration = Duration::from_millis(300);

/// One figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Measure {
    name: &'static str,
    value: f64,
    unit: &'static str,
    /// What it should be, where the design says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<Target>,
}

/// A bound, in the measure's unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Target {
    AtLeast(f64),
    AtMost(f64),
}

impl Measure {
    const fn new(name: &'static str, value: f64, unit: &'static str) -> Self {
        Self { name, value, unit, target: None }
    }

    const fn target(self, target: Target) -> Self {
        Self { target: Some(target), ..self }
    }

    fn line(&self) -> String {
        let target = match self.target {
            None => String::new(),
            Some(Target::AtLeast(bound)) => verdict(self.value >= bound, "at least", bound),
            Some(Target::AtMost(bound)) => verdict(self.value <= bound, "at most", bound),
        };
        format!("{:<48}{:>12.1} {:<14}{target}", self.name, self.value, self.unit)
    }
}

fn verdict(met: bool, word: &str, bound: f64) -> String {
    format!("{word} {bound}: {}", if met { "met" } else { "not met" })
}

#[derive(Serialize)]
struct Report {
    cores: usize,
    measures: Vec<Measure>,
}

/// Measures and prints. What is missed is said; only what cannot be measured is a failure.
pub(crate) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    note("evaluations");
    let mut measures = evaluation::measure();
    note("submissions");
    measures.extend(submission::measure());
    note("durable commits");
    measures.extend(store::measure(args.dir.as_deref())?);
    if args.signals > 0 {
        note("a running network");
        measures.extend(network::measure(args.dir.as_deref(), args.signals)?);
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut lines: Vec<_> = measures.iter().map(Measure::line).collect();
    lines.push(format!("medians of {RUNS} runs; {cores} cores; \"per core\" is one thread"));
    output.result(&Report { cores, measures }, &lines.join("\n"));
    Ok(())
}

/// The median number of seconds that `work` takes, over [`RUNS`] runs of at least [`RUN_TIME`].
fn seconds(mut work: impl FnMut()) -> f64 {
    let mut run = || {
        let (began, mut times) = (Instant::now(), 0_u32);
        while began.elapsed() < RUN_TIME {
            work();
            times += 1;
        }
        began.elapsed().as_secs_f64() / f64::from(times)
    };
    run(); // warms caches and lazily made tables
    quantile(&(0..RUNS).map(|_| run()).collect::<Vec<_>>(), 0.5)
}

/// The value below which the share `q` of `values` lies; zero for none.
fn quantile(values: &[f64], q: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (q * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_occurred() {
        let values: Vec<_> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(
            (quantile(&values, 0.5), quantile(&values, 0.99), quantile(&values, 1.0)),
            (50.0, 99.0, 100.0)
        );
        assert_eq!((quantile(&[7.0], 0.5), quantile(&[], 0.5)), (7.0, 0.0));
    }

    #[test]
    fn a_line_says_whether_the_target_is_met() {
        let measure = |value, target| Measure::new("x", value, "ms").target(target).line();
        assert!(measure(3.0, Target::AtMost(2.0)).ends_with("at most 2: not met"));
        assert!(measure(3.0, Target::AtLeast(2.0)).ends_with("at least 2: met"));
    }
}
