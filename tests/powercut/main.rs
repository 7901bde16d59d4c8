//! Power cuts: a process writes to a store and a key file on a file system of their own, the file system is stopped
//! as by a power cut, and everything that was acknowledged must be there.
//!
//! Not here: kill -9, which leaves the page cache alone (`node::store`'s own tests).

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

mod disk;
mod load;

use disk::Disk;

const CHILD_DIR: &str = "KRING_POWERCUT_DIR";
/// What a file holds that is written before each cut and not synced.
const CONTROL: [u8; 4096] = [7; 4096];

/// Not a test of its own: the process whose power is cut.
#[test]
fn child_that_writes_until_its_disk_is_gone() {
    if let Ok(dir) = std::env::var(CHILD_DIR) {
        load::run(dir.as_ref());
    }
}

#[test]
fn a_power_cut_loses_nothing_that_was_acknowledged() {
    let cuts = std::env::var("KRING_POWER_CUTS").map_or(6, |cuts| cuts.parse::<u64>().unwrap());
    let disk = match Disk::new() {
        Ok(disk) => disk,
        Err(why) => {
            eprintln!("SKIPPED, no power was cut: needs root and loop devices ({why})");
            return;
        }
    };
    let dir = disk.mountpoint().join("node");
    let mut acknowledged = BTreeMap::new();
    for cut in 0..cuts {
        // The first cut comes as early as can be, the others after more and more.
        let until = acknowledged.values().sum::<u64>() + 1 + cut * 150;
        let mut child = start_child(&dir, disk.error_file());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        while acknowledged.values().sum::<u64>() < until {
            let line = lines.next().unwrap_or_else(|| panic!("the child died by itself: {}", disk.errors()));
            note(&line.unwrap(), &mut acknowledged);
        }
        let control = disk.mountpoint().join(format!("control-{cut}"));
        File::create(&control).unwrap().write_all(&CONTROL).unwrap(); // and no sync
        disk.cut().unwrap();
        child.kill().unwrap();
        // What was said before the cut, and not yet heard, counts too.
        lines.map_while(Result::ok).for_each(|line| note(&line, &mut acknowledged));
        child.wait().unwrap();
        disk.restore();
        assert!(
            fs::read(&control).map_or(true, |bytes| bytes != CONTROL),
            "the cut cut nothing: this test shows nothing"
        );
        load::check(&dir, &acknowledged);
    }
    eprintln!("{cuts} cuts, {} commits acknowledged, none lost", acknowledged.values().sum::<u64>());
}

fn start_child(dir: &Path, errors: File) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_that_writes_until_its_disk_is_gone", "--nocapture"])
        .env(CHILD_DIR, dir)
        .stdout(Stdio::piped())
        .stderr(errors)
        .spawn()
        .unwrap()
}

/// Counts an acknowledgement: `acknowledged THREAD COMMITS.`, where the last character shows that the line is whole.
fn note(line: &str, acknowledged: &mut BTreeMap<u32, u64>) {
    let Some(line) = line.strip_prefix("acknowledged ").and_then(|line| line.strip_suffix('.')) else {
        return;
    };
    let (thread, commits) = line.split_once(' ').unwrap();
    acknowledged.insert(thread.parse().unwrap(), commits.parse().unwrap());
}
