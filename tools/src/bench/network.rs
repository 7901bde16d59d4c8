//! From `POST /signals` at one partner to the notice at the other, in a running network of six nodes.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Measure, Target, quantile};
use crate::client::JSON;
use crate::demo::Demo;
use crate::output::Failure;

/// How often the other partner is asked for notices.
const POLL: Duration = Duration::from_millis(2);
/// Longest wait for one notice.
const TIMEOUT: Duration = Duration::from_secs(30);

pub(super) fn measure(dir: Option<&Path>, signals: u16) -> Result<Vec<Measure>, Failure> {
    let demo = Demo::without_cases(dir)?;
    demo.until_ready()?;
    for number in 0..signals {
        demo.client(0).post("/signals", JSON, &body(number))?;
    }
    if !demo.until_delivered()? {
        return Err(Failure::Work("the network did not become quiet".to_owned()));
    }
    let times = (0..signals).map(|number| one(&demo, number)).collect::<Result<Vec<_>, _>>()?;
    let at = |q| quantile(&times, q) * 1000.0;
    Ok(vec![
        Measure::new("signal to the other's notice, p50", at(0.5), "ms").target(Target::AtMost(250.0)),
        Measure::new("signal to the other's notice, p99", at(0.99), "ms"),
    ])
}

/// Seconds from a signal at the second partner to the notice at the first, which has signalled the family before.
fn one(demo: &Demo, number: u16) -> Result<f64, Failure> {
    let began = Instant::now();
    demo.client(1).post("/signals", JSON, &body(number))?;
    while demo.client(0).get("/notices")?.as_array().map_or(0, Vec::len) <= usize::from(number) {
        if began.elapsed() > TIMEOUT {
            return Err(Failure::Work(format!("no notice within {} s", TIMEOUT.as_secs())));
        }
        std::thread::sleep(POLL);
    }
    Ok(began.elapsed().as_secs_f64())
}

/// A signal about a family that has nothing in common with those of other numbers.
fn body(number: u16) -> Vec<u8> {
    let (given, family) = (name(number, 'a'), name(number, 'o'));
    let person = json!({
        "role": "child",
        "givenNames": given,
        "familyName": family,
        // A day above 12 stays itself when day and month change places.
        "birthDate": format!("{}-06-{:02}", 1950 + number % 60, 13 + number / 60),
        "postalCode": format!("{}{}", 1000 + number, letters(number)),
        "houseNumber": (number % 90 + 1).to_string(),
    });
    let body: Value = json!({ "caseReference": format!("bench-{number}"), "persons": [person] });
    body.to_string().into_bytes()
}

/// Three syllables that sound different for every number below 512.
fn name(number: u16, vowel: char) -> String {
    const CONSONANTS: [char; 8] = ['b', 'k', 'l', 'm', 'n', 'r', 's', 'f'];
    let syllable = |place: u32| {
        let index = number / 8_u16.pow(place) % 8;
        [CONSONANTS[usize::from(index)], vowel].into_iter().collect::<String>()
    };
    (0..3).map(syllable).collect()
}

/// The letters of a postal code, without S: some pairs with it are never given out.
fn letters(number: u16) -> String {
    let letter = |n: u16| char::from(b'A' + u8::try_from(n % 18).expect("below 18"));
    [letter(number), letter(number / 18)].into_iter().collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn families_have_nothing_in_common() {
        let count = crate::command::bench::SIGNALS_MAX;
        for key in ["givenNames", "familyName", "birthDate", "postalCode"] {
            let values: BTreeSet<String> = (0..count)
                .map(|number| {
                    let body: Value = serde_json::from_slice(&body(number)).unwrap();
                    body["persons"][0][key].as_str().unwrap().to_owned()
                })
                .collect();
            assert_eq!(values.len(), usize::from(count), "{key}");
        }
    }
}
