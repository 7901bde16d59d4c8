//! `kring bench recognition`: how well recipe lists find the same person in different partners' files.
//!
//! # In scope
//! Invented Dutch families and each partner's view of them with errors, from a seed, with the truth; the FEBRL data sets;
//! match keys as a node makes them, compared in memory: equal keys are what a network finds. Scores, peers, tables.
//!
//! # Out of scope
//! The recipes themselves (`kring_protocol::recipe`). Running a network: `kring demo` does, on the files written here,
//! and its report is scored here.

use crate::command::bench::Recognition as Args;
use crate::output::{Failure, Output, note};

mod confusion;
mod date;
mod dutch;
mod errors;
mod exchange;
mod families;
mod febrl;
mod kring;
mod lists;
mod names;
mod peers;
mod report;
mod score;
mod svg;
mod views;

use report::{Method, Report};
use views::Benchmark;

/// Measures and prints, or writes files for a network, or scores what one found.
pub(crate) fn run(args: &Args, output: Output) -> Result<(), Failure> {
    if let Some(dir) = &args.write_caseload {
        return write(args, dir, output);
    }
    if let Some(path) = &args.score {
        return score(args, path, output);
    }
    let report = measure(args)?;
    if let Some(path) = &args.svg {
        std::fs::write(path, svg::draw(&report))
            .map_err(|problem| Failure::Work(format!("{}: {problem}", path.display())))?;
    }
    output.result(&report, &report::text(&report));
    Ok(())
}

fn benchmark(args: &Args) -> Benchmark {
    Benchmark::new(args.seed, args.families, f64::from(args.noise) / 100.0)
}

fn measure(args: &Args) -> Result<Report, Failure> {
    let lists = lists::read(&args.recipes)?;
    let febrl = args.febrl.as_deref().map(|dir| febrl::measure(dir, &lists)).transpose()?.unwrap_or_default();
    note(&format!("{} families", args.families));
    let benchmark = benchmark(args);
    let noise = f64::from(args.noise) / 100.0;
    let measure = |list: &lists::List| {
        note(&format!("recipe list {}", list.name));
        let confused = dutch::confused(list, args.seed, noise);
        report::ListReport { confused, ..dutch::measure(&benchmark, list) }
    };
    Ok(Report {
        seed: args.seed,
        families: args.families,
        noise,
        cases: benchmark.cases.len(),
        records: benchmark.records.len(),
        noisy_records: benchmark.records.iter().filter(|record| !record.errors.is_empty()).count(),
        lists: lists.iter().map(measure).collect(),
        peers: dutch::peers(&benchmark),
        febrl,
    })
}

/// Caseload files for `kring demo --caseload`: FEBRL 4 where its directory is given, otherwise the benchmark.
fn write(args: &Args, dir: &std::path::Path, output: Output) -> Result<(), Failure> {
    let files = match &args.febrl {
        Some(febrl) => exchange::febrl_files(&febrl::read_4(febrl)?),
        None => exchange::files(&benchmark(args)),
    };
    exchange::write_files(dir, &files)?;
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    output.result(&names, &format!("Wrote {} to {}.", names.join(", "), dir.display()));
    Ok(())
}

/// The score of a demonstration's report on the files that [`write()`] wrote for the same arguments.
fn score(args: &Args, path: &std::path::Path, output: Output) -> Result<(), Failure> {
    let score = if let Some(febrl) = &args.febrl {
        let (subjects, cases) = exchange::febrl_cases(&febrl::read_4(febrl)?);
        exchange::score_found(path, &subjects, &cases)?
    } else {
        let benchmark = benchmark(args);
        exchange::score_found(path, &dutch::subjects(&benchmark), &exchange::case_numbers(&benchmark))?
    };
    let method = Method::network(score);
    output.result(&method, &report::one(&method));
    Ok(())
}

#[cfg(test)]
mod tests;
