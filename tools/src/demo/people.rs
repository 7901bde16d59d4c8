//! The people of the demonstration: invented names, the same in every run, with passwords that are drawn anew. They are made
//! as a functional administrator makes them, through the API, and set up their sign-in as people do, through the pages.

use std::collections::BTreeMap;
use std::path::Path;

use rand::Rng;
use serde::Serialize;
use serde_json::{Value, json};

use super::browser::Browser;
use super::caseload::Partner;
use crate::client::{Client, ClientError, JSON};
use crate::output::{Failure, note};

/// Where the sign-ins are written, beside the partners' folders.
pub(super) const FILE: &str = "sign-ins.json";
/// Most cases of one partner that are given to its professional.
const ASSIGNED_MAX: usize = 200;

/// Professionals, two for each partner.
const PROFESSIONALS: [[&str; 2]; 12] = [
    ["Sanne de Wit", "Karim Bouali"],
    ["Mark Dijkstra", "Noor Hendriks"],
    ["Yara Smit", "Tom van Dam"],
    ["Inge Mulder", "Rachid Amrani"],
    ["Bas Kuiper", "Lotte Peters"],
    ["Aylin Demir", "Wim Postma"],
    ["Femke Bosch", "Daan Willems"],
    ["Samira Haddad", "Gert Kok"],
    ["Ruben Maas", "Iris Blom"],
    ["Mehmet Kaya", "Anouk Schouten"],
    ["Lies Veenstra", "Omar Idrissi"],
    ["Thijs Hofman", "Nadia Ali"],
];

/// The others: name, function, role, and what the tour calls them.
const OTHERS: [(&str, &str, &str, &str); 5] = [
    ("Els Vermeer", "attention-officer", "supervisor", "aandachtsfunctionaris"),
    ("Joost Bakker", "other", "functionalAdministrator", "functioneel beheerder"),
    ("Mila Jansen", "other", "technicalAdministrator", "technisch beheerder"),
    ("Henk Visser", "other", "privacyOfficer", "functionaris gegevensbescherming"),
    ("Fatma Yilmaz", "other", "boardAuditor", "toezichthouder"),
];

/// How somebody signs in.
#[derive(Clone, Debug, Serialize)]
pub(super) struct SignIn {
    pub(super) name: String,
    /// What they are, in Dutch.
    pub(super) role: &'static str,
    pub(super) user: String,
    pub(super) password: String,
}

/// The people of one partner.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Staff {
    pub(super) partner: String,
    pub(super) name: String,
    pub(super) address: String,
    pub(super) sign_ins: Vec<SignIn>,
    /// The professional to whom the cases go.
    #[serde(skip)]
    pub(super) professional: String,
}

/// Makes the people of the partner with this place in the list.
pub(super) fn make(index: usize, partner: &Partner, client: &Client) -> Result<Staff, Failure> {
    let team = client.post("/teams", JSON, json!({ "name": "Team Noord" }).to_string().as_bytes())?;
    let team = id(&team)?;
    let [first, second] = PROFESSIONALS[index % PROFESSIONALS.len()];
    let professionals = [first, second].map(|name| (name, "social-worker", "professional", "professional"));
    let mut sign_ins = Vec::new();
    let mut professional = String::new();
    for (number, (name, function, role, called)) in professionals.into_iter().chain(OTHERS).enumerate() {
        let user = name.split(' ').next().unwrap_or(name).to_lowercase();
        let in_team = ["professional", "supervisor"].contains(&role);
        let body = json!({
            "signIn": { "local": user },
            "name": name,
            "email": format!("{user}@{}.example", partner.member),
            "phone": format!("088 {:03} {:02} {:02}", 100 + index, 40 + number, 10 + number),
            "function": function,
            "roles": [role],
            "teams": if in_team { json!([team]) } else { json!([]) },
        });
        let account = id(&client.post("/people", JSON, body.to_string().as_bytes())?)?;
        if number == 0 {
            professional.clone_from(&account);
        }
        let invitation = client.post(&format!("/people/{account}/activation"), JSON, b"")?;
        let code = invitation["code"].as_str().ok_or_else(|| odd(&invitation))?;
        let password = password();
        Browser::new(client.address()).activate(&user, code, &password)?;
        sign_ins.push(SignIn { name: name.to_owned(), role: called, user, password });
    }
    let address = format!("http://{}", client.address());
    let (partner, name) = (partner.id.clone(), partner.name.clone());
    Ok(Staff { partner, name, address, sign_ins, professional })
}

fn id(answer: &Value) -> Result<String, Failure> {
    answer["id"].as_str().map(str::to_owned).ok_or_else(|| odd(answer))
}

fn odd(answer: &Value) -> Failure {
    Failure::Work(format!("the node's answer has no id or code: {answer}"))
}

/// Four groups of four letters and digits that look like nothing else: 80 bits.
fn password() -> String {
    const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
    let mut rng = rand::thread_rng();
    let mut group =
        || (0..4).map(|_| char::from(LETTERS[rng.gen_range(0..LETTERS.len())])).collect::<String>();
    [group(), group(), group(), group()].join("-")
}

/// Gives the partner's cases to its professional.
pub(super) fn assign(client: &Client, staff: &Staff) -> Result<(), Failure> {
    let signals = client.get("/signals")?;
    let ids = signals.as_array().into_iter().flatten().filter_map(|signal| signal["id"].as_str());
    let body = json!({ "to": staff.professional }).to_string();
    for signal in ids.take(ASSIGNED_MAX) {
        match client.post(&format!("/signals/{signal}/assign"), JSON, body.as_bytes()) {
            Ok(_) | Err(ClientError::Refused { status: 409, .. }) => {}
            Err(problem) => return Err(problem.into()),
        }
    }
    Ok(())
}

/// Writes the sign-ins where only the owner of the demonstration reads them.
pub(super) fn write(dir: &Path, staff: &[Staff]) -> Result<(), Failure> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(dir.join(FILE))?;
    file.write_all(serde_json::to_string_pretty(staff)?.as_bytes())?;
    Ok(())
}

/// Says how everybody signs in.
pub(super) fn say(staff: &[Staff]) {
    for of_partner in staff {
        note("");
        note(&format!("{}: {}", of_partner.name, of_partner.address));
        for sign_in in &of_partner.sign_ins {
            let SignIn { name, role, user, password } = sign_in;
            note(&format!("  {user:<8} {password}   {name}, {role}"));
        }
    }
}

/// A match to look at: partner and case of both sides.
pub(super) type Shown = [(String, String); 2];

/// A suggested walk of two minutes; `shown` is a match between two partners whose people there are.
pub(super) fn say_tour(staff: &[Staff], shown: Option<&Shown>) {
    let by_partner: BTreeMap<_, _> = staff.iter().map(|staff| (staff.partner.as_str(), staff)).collect();
    let sides = shown.and_then(|[(one, case), (other, theirs)]| {
        Some([(*by_partner.get(one.as_str())?, case), (*by_partner.get(other.as_str())?, theirs)])
    });
    let Some([(one, case), (other, theirs)]) = sides else { return };
    let user = |staff: &Staff| staff.sign_ins.first().map(|sign_in| sign_in.user.clone()).unwrap_or_default();
    note("");
    note("a tour of two minutes:");
    let steps = [
        format!("1. open {} and sign in as {}", one.address, user(one)),
        format!("2. under \"Wacht op u\" open case {case}; read it, and choose \"Ik wil afstemmen\""),
        format!("3. open {} in a second, private window and sign in as {}", other.address, user(other)),
        format!("4. open case {theirs}, choose \"Ik wil afstemmen\": both now see how to reach each other"),
        "5. choose \"Contact vastleggen\", then \"Ik word het aanspreekpunt\"".to_owned(),
        "6. in the other window choose \"Daar ben ik het mee eens\"".to_owned(),
        "7. on both sides choose an outcome and \"Afsluiten\"; the signal's page has the letter for the family".to_owned(),
        "then: \"Signaal afgeven\" for a case of your own, and els, joost, mila, henk and fatma for the other roles".to_owned(),
    ];
    steps.iter().for_each(|step| note(&format!("  {step}")));
}
