//! What the demonstration found: every match from both sides, compared with the truth where it is known.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::builtin::{CaseAt, Pair};
use super::caseload::Partner;
use super::people::Shown;
use super::process::Status;

/// The contract's object: what `kring demo --once --json` prints.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Report {
    pub(super) partners: Vec<PartnerRow>,
    pub(super) matches: Vec<MatchRow>,
    pub(super) expected: Option<usize>,
    pub(super) missing: Option<usize>,
    pub(super) unexpected: Option<usize>,
    pub(super) timings: Timings,
}

/// One partner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct PartnerRow {
    pub(super) id: String,
    pub(super) name: String,
    /// Cases that its node took in.
    pub(super) cases: u64,
}

/// One side of a match.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct MatchRow {
    pub(super) match_id: String,
    pub(super) partner: String,
    pub(super) case: String,
    /// None where the purpose does not say names at once and no other side is at hand.
    pub(super) other_partner: Option<String>,
    pub(super) basis: Vec<String>,
}

/// Seconds that each step took, and how the nodes did.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Timings {
    /// Identities, covenant, signatures.
    pub(super) founding: f64,
    /// From the first node's start until all are ready, the key ceremony included.
    pub(super) ready: f64,
    /// All caseloads into their nodes.
    pub(super) imported: f64,
    /// From then until all is delivered.
    pub(super) delivered: f64,
    /// All of it.
    pub(super) total: f64,
    pub(super) nodes: Vec<NodeTimings>,
}

/// How one node did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct NodeTimings {
    pub(super) id: String,
    /// Seconds from its first start until it was ready; none if it never was.
    pub(super) ready: Option<f64>,
    /// The longest that it took to be ready after it was started again.
    pub(super) ready_again: Option<f64>,
    pub(super) restarts: u32,
    pub(super) peak_rss_bytes: u64,
}

impl Timings {
    /// In whole milliseconds.
    pub(super) fn rounded(mut self) -> Self {
        let all =
            [&mut self.founding, &mut self.ready, &mut self.imported, &mut self.delivered, &mut self.total];
        for seconds in all {
            *seconds = round(*seconds);
        }
        self
    }
}

fn round(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}

/// How each partner's node did.
pub(super) fn node_timings(partners: &[Partner], status: &[Status]) -> Vec<NodeTimings> {
    let seconds = |time: Option<Duration>| time.map(|time| round(time.as_secs_f64()));
    let both = partners.iter().zip(status);
    both.map(|(partner, status)| NodeTimings {
        id: partner.id.clone(),
        ready: seconds(status.first_ready),
        ready_again: seconds(status.slowest_return),
        restarts: status.restarts,
        peak_rss_bytes: status.peak_rss_bytes,
    })
    .collect()
}

/// A notice as `GET /api/v1/notices` gives it, as far as it is needed here.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Notice {
    case_reference: String,
    matches: Vec<NoticeMatch>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct NoticeMatch {
    match_id: String,
    /// Its member id.
    partner: Option<String>,
    basis: Vec<String>,
}

/// All sides of all matches, joined.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Joined {
    pub(super) rows: Vec<MatchRow>,
    /// The matches that have both sides.
    pub(super) pairs: BTreeSet<Pair>,
    /// What does not fit together.
    pub(super) faults: Vec<String>,
}

impl Joined {
    /// A match to look at: one whose cases have no other, if there is one.
    pub(super) fn shown(&self) -> Option<Shown> {
        let matches_of =
            |case: &CaseAt| self.pairs.iter().filter(|pair| pair.cases().contains(&case)).count();
        let alone = |pair: &&Pair| pair.cases().iter().all(|case| matches_of(case) == 1);
        let pair = self.pairs.iter().find(alone).or_else(|| self.pairs.first())?;
        Some(pair.cases().map(|case| (case.partner.clone(), case.case.clone())))
    }
}

/// Joins what each partner's node says by match. `down` are partners whose nodes could not be asked: their sides are
/// missed by nobody.
pub(super) fn join(
    partners: &[Partner],
    notices: &BTreeMap<String, Vec<Notice>>,
    down: &BTreeSet<String>,
) -> Joined {
    let ids: BTreeMap<_, _> = partners.iter().map(|partner| (partner.member.as_str(), &partner.id)).collect();
    let mut by_match: BTreeMap<&str, Vec<MatchRow>> = BTreeMap::new();
    for (partner, notices) in notices {
        for notice in notices {
            for found in &notice.matches {
                let other = found.partner.as_deref();
                by_match.entry(&found.match_id).or_default().push(MatchRow {
                    match_id: found.match_id.clone(),
                    partner: partner.clone(),
                    case: notice.case_reference.clone(),
                    other_partner: other
                        .map(|id| ids.get(id).map_or_else(|| id.to_owned(), |id| (*id).clone())),
                    basis: found.basis.clone(),
                });
            }
        }
    }
    let mut joined = Joined::default();
    for (match_id, rows) in by_match {
        joined.add(match_id, rows, down);
    }
    joined
}

impl Joined {
    fn add(&mut self, match_id: &str, mut rows: Vec<MatchRow>, down: &BTreeSet<String>) {
        match rows.as_mut_slice() {
            [a, b] if a.partner != b.partner => {
                let fits = |one: &MatchRow, other: &MatchRow| {
                    one.other_partner.as_ref().is_none_or(|named| *named == other.partner)
                };
                if !fits(a, b) || !fits(b, a) {
                    self.faults.push(format!(
                        "match {match_id}: {} and {} name each other wrongly",
                        a.partner, b.partner
                    ));
                }
                a.other_partner.get_or_insert_with(|| b.partner.clone());
                b.other_partner.get_or_insert_with(|| a.partner.clone());
                self.pairs.insert(Pair::new(a.case(), b.case()));
            }
            [one] if one.other_partner.as_ref().is_some_and(|other| down.contains(other)) => {}
            [one] => self.faults.push(format!("match {match_id}: only {} has it", one.partner)),
            many => self.faults.push(format!("match {match_id} has {} sides", many.len())),
        }
        rows.sort();
        self.rows.append(&mut rows);
    }
}

impl MatchRow {
    fn case(&self) -> CaseAt {
        CaseAt { partner: self.partner.clone(), case: self.case.clone() }
    }
}

/// The report for people.
pub(super) fn text(report: &Report) -> String {
    let mut text = String::new();
    for rows in report.matches.chunk_by(|a, b| a.match_id == b.match_id) {
        let sides: Vec<_> = rows.iter().map(|row| format!("{} case {}", row.partner, row.case)).collect();
        let basis: BTreeSet<_> = rows.iter().flat_map(|row| &row.basis).map(String::as_str).collect();
        let basis: Vec<_> = basis.into_iter().collect();
        let _ = writeln!(text, "{}  {}  ({})", rows[0].match_id, sides.join(" = "), basis.join(", "));
    }
    let cases: u64 = report.partners.iter().map(|partner| partner.cases).sum();
    let matches = report.matches.chunk_by(|a, b| a.match_id == b.match_id).count();
    let _ = writeln!(text, "{} partners, {cases} cases, {matches} matches", report.partners.len());
    if let (Some(expected), Some(missing), Some(unexpected)) =
        (report.expected, report.missing, report.unexpected)
    {
        let _ = writeln!(text, "expected {expected}, missing {missing}, unexpected {unexpected}");
    }
    let Timings { founding, ready, imported, delivered, total, nodes } = &report.timings;
    let _ = writeln!(
        text,
        "seconds: founding {founding:.2}, ready {ready:.2}, imported {imported:.2}, delivered {delivered:.2}, total \
         {total:.2}"
    );
    let mib = nodes.iter().map(|node| node.peak_rss_bytes).max().unwrap_or(0) >> 20;
    let _ = writeln!(text, "most memory of one node: {mib} MiB");
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::demo::caseload::complete;

    /// Partners partner-1 to partner-3, called P1 to P3 in reports.
    fn partners() -> Vec<Partner> {
        let mut partners = complete(Vec::new(), Some(3)).unwrap();
        for (index, partner) in partners.iter_mut().enumerate() {
            partner.id = format!("P{}", index + 1);
        }
        partners
    }

    /// `(partner, case, match, other member)`
    fn notices(rows: &[(&str, &str, &str, Option<&str>)]) -> BTreeMap<String, Vec<Notice>> {
        let mut all: BTreeMap<String, Vec<Notice>> = BTreeMap::new();
        for &(partner, case, match_id, other) in rows {
            let notice = json!({
                "id": "n", "caseReference": case, "state": "open", "otherPartners": 1,
                "matches": [{"matchId": match_id, "partner": other, "basis": ["bsn"]}],
            });
            all.entry(partner.to_owned()).or_default().push(serde_json::from_value(notice).unwrap());
        }
        all
    }

    fn case(partner: &str, case: &str) -> CaseAt {
        CaseAt { partner: partner.to_owned(), case: case.to_owned() }
    }

    #[test]
    fn two_sides_make_a_match_under_the_files_names() {
        let all = notices(&[("P2", "7", "m", Some("partner-1")), ("P1", "3", "m", None)]);
        let joined = join(&partners(), &all, &BTreeSet::new());
        assert_eq!(joined.faults, Vec::<String>::new());
        assert_eq!(joined.pairs, BTreeSet::from([Pair::new(case("P1", "3"), case("P2", "7"))]));
        let others: Vec<_> = joined.rows.iter().map(|row| row.other_partner.as_deref()).collect();
        assert_eq!(others, [Some("P2"), Some("P1")]);
    }

    #[test]
    fn sides_that_do_not_fit_are_faults() {
        let faults = |rows: &[_], down: &[&str]| {
            let down = down.iter().map(|id| (*id).to_owned()).collect();
            join(&partners(), &notices(rows), &down).faults
        };
        let one = ("P1", "3", "m", Some("partner-2"));
        assert!(faults(&[one], &[])[0].contains("only P1 has it"));
        assert!(faults(&[one], &["P3"])[0].contains("only P1 has it"));
        assert!(faults(&[one], &["P2"]).is_empty());
        assert!(faults(&[one, one], &[])[0].contains("2 sides"));
        assert!(faults(&[one, ("P3", "1", "m", Some("partner-1"))], &[])[0].contains("wrongly"));
        let third = ("P3", "1", "m", Some("partner-1"));
        assert!(faults(&[one, ("P2", "1", "m", Some("partner-1")), third], &[])[0].contains("3 sides"));
    }

    #[test]
    fn the_object_is_the_contracts() {
        let row = |partner: &str, other: &str| MatchRow {
            match_id: "m".into(),
            partner: partner.into(),
            case: "1".into(),
            other_partner: Some(other.into()),
            basis: vec!["bsn".into()],
        };
        let report = Report {
            partners: vec![PartnerRow { id: "A b".into(), name: "A b".into(), cases: 2 }],
            matches: vec![row("A b", "c"), row("c", "A b")],
            expected: None,
            missing: None,
            unexpected: None,
            timings: Timings::default(),
        };
        let expected = concat!(
            r#"{"partners":[{"id":"A b","name":"A b","cases":2}],"matches":["#,
            r#"{"match_id":"m","partner":"A b","case":"1","other_partner":"c","basis":["bsn"]},"#,
            r#"{"match_id":"m","partner":"c","case":"1","other_partner":"A b","basis":["bsn"]}],"#,
            r#""expected":null,"missing":null,"unexpected":null,"timings":{"founding":0.0,"#,
        );
        let json = serde_json::to_string(&report).unwrap();
        assert!(json.starts_with(expected), "{json}");
        assert!(
            text(&report).starts_with("m  A b case 1 = c case 1  (bsn)\n1 partners, 2 cases, 1 matches\n")
        );
    }
}
