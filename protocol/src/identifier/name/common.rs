//! Surnames that many people have: with such a name, given name and birth year are not yet one person.
//!
//! A modest list, put together by hand from the names that are known as the most common ones of the countries that people
//! in the Netherlands come from. Without prefixes, which are not read. A name that is missing here costs a wrong match now
//! and then; one too many costs a match that another recipe mostly finds.
//! Part of what partners must agree on: `docs/protocol.md` section 1.6 prints it.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::spelling::{Kind, fold};

/// As they are written, in lower-case Latin letters.
pub(super) const SURNAMES: [&str; 47] = [
    // Dutch, after the Meertens Instituut's list of the register of 2007, without their prefixes.
    "jong jansen vries berg dijk bakker janssen visser smit meijer meyer boer mulder groot bos vos peters",
    "hendriks leeuwen dekker brouwer wit dijkstra smits graaf meer linden kok jacobs haan vermeulen heuvel",
    "veen broek bruijn bruin heijden schouten beek willems vliet ven hoekstra maas verhoeven koster dam wal",
    "prins blom huisman peeters jonge kuipers post kuiper veenstra kramer brink scholten wijk postma martens",
    "vink ruiter timmermans groen gerritsen jonker loon velde willemsen smeets lange dongen schipper koning",
    "laan velden driessen doorn hermans evers bosch meulen hofman bosman wolters sanders horst mol kuijpers",
    "molenaar pol leeuw verbeek wilde ridder rooij hoek jager gerrits jacobsen roos bergen zwart kroon wiersma",
    "hartog kempen poel visscher heus pieters pietersen hoogendoorn franken berends rietveld vriend boersma",
    "boon kooij brand groenewegen wouters bouwman snijders wolf poot vogel aarts claassen damen elzinga",
    "tuinstra terpstra bijl schaap bloem admiraal nijland kool oosten westra zijlstra hoeve steen lieshout ham",
    "hout es kaiser keizer klein klaassen simons scheffer schreuder smid stam swart tol verhagen verschoor",
    "versteeg vermeer verweij wagenaar witte zanden",
    // Turkish.
    "yilmaz kaya demir celik sahin yildiz yildirim ozturk aydin ozdemir arslan aslan dogan kilic cetin kara",
    "koc kurt ozkan simsek polat erdogan gunes bulut turan korkmaz cakir aksoy akbulut bozkurt tas avci uzun",
    "kaplan acar unal yavuz tekin sari can karaca coskun ates guler ozcan yuksel keskin gul tunc aktas kocak",
    "erdem cinar balci",
    // Moroccan, Arabic, Syrian, Iraqi, Afghan, Iranian.
    "mohamed mohammed ahmed ali hassan hussein ibrahim khan omar osman abdullah mahmoud mustafa youssef khalil",
    "saleh said abdi yusuf hamid ahmadi mohammadi hosseini rezai karimi rahimi amiri haddad khoury najjar",
    "nasser jaber hamdan issa darwish kassem aziz malik rashid sultan hamad amrani idrissi alaoui bouzidi",
    "benali haddou mansouri saidi ouali bennani yaacoubi khattabi morabit azzouzi messaoudi hamdaoui ouahabi",
    "yahyaoui allaoui allali amraoui boulahrouz bouali bakkali bouazza chaoui fassi filali ghazi ghazali hajji",
    "kaddouri khalfi khaldi majdoubi mimouni moussaoui mokhtari naji omari ouazzani rahmani salhi slimani",
    "tahiri touzani zaoui ziani haddaoui hammouti jilali kadi lamrani",
    // Surinamese, Antillean.
    "ramdin mahabier singh ramlal ramautar biharie jagroep mohan ramdjan sewnarain kalloe autar lachman mangal",
    "baldew jhinkoe kartosen sital sewdien martina martis maduro croes winklaar pinas pinto wijngaarde",
    "kromosoeto soekhoe pawiro karijodinomo",
    // Polish, Bulgarian, Romanian, Ukrainian, Russian.
    "nowak kowalski kowalska wisniewski wisniewska wojcik kowalczyk kaminski kaminska lewandowski lewandowska",
    "zielinski zielinska szymanski szymanska wozniak dabrowski dabrowska kozlowski kozlowska jankowski",
    "jankowska mazur kwiatkowski krawczyk kaczmarek piotrowski grabowski zajac pawlowski michalski krol",
    "wieczorek jablonski wrobel nowakowski majewski olszewski stepien malinowski jaworski adamczyk dudek",
    "pawlak gorski sikora walczak baran rutkowski szewczyk ostrowski tomaszewski pietrzak ivanov ivanova",
    "dimitrov dimitrova georgiev georgieva petrov petrova nikolov nikolova popescu popa ionescu radu dumitru",
    "stan stoica gheorghe rusu munteanu shevchenko kovalenko bondarenko tkachenko kravchenko melnyk boyko",
    "kovalchuk smirnov volkov",
    // Eritrean, Ethiopian, Somali, Ghanaian, Nigerian.
    "tesfay haile gebremariam gebre tekle kidane berhe mehari habte ghebre tesfamariam abraham araya weldu",
    "kebede bekele tadesse alemu warsame farah jama nur isse hersi mensah owusu osei boateng appiah asante",
    "okafor eze",
    // Chinese, Vietnamese, Indian, Pakistani.
    "wang li zhang liu chen yang huang zhao wu zhou xu sun ma zhu hu guo lin cheung wong chan lam ng nguyen",
    "tran le pham huynh hoang vu vo dang bui do ngo duong ly kumar sharma patel shah hussain butt iqbal",
    // English, German, French, Spanish, Portuguese, Italian.
    "smith jones williams brown taylor davies wilson evans thomas johnson roberts walker wright robinson",
    "thompson white hughes edwards green lewis wood harris martin jackson clarke clark turner hill scott",
    "cooper morris ward moore king watson baker harrison morgan young allen mitchell james anderson phillips",
    "lee bell parker davis bennett miller cook shaw campbell carter richardson collins murphy kelly ryan",
    "murray stewart ross reid hall adams rogers hunt webb simpson muller schmidt schneider fischer weber",
    "wagner becker schulz hoffmann schafer koch bauer richter schroder neumann schwarz dubois durand bernard",
    "petit robert laurent garcia rodriguez gonzalez fernandez lopez martinez sanchez perez gomez silva santos",
    "ferreira pereira oliveira costa rodrigues gomes rossi russo",
];

static FOLDED: LazyLock<HashSet<String>> = LazyLock::new(|| {
    SURNAMES.into_iter().flat_map(|line| line.split(' ')).map(|name| fold(name, Kind::Family)).collect()
});

/// Whether a folded part of a surname is in the list.
pub(super) fn is_common(folded: &str) -> bool {
    FOLDED.contains(folded)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_protocol_prints_the_list() {
        let printed = include_str!("../../../../docs/protocol.md");
        assert!(printed.contains(&format!("```\n{}\n```", SURNAMES.join("\n"))));
    }

    #[test]
    fn every_name_stands_once_in_plain_letters() {
        let names: Vec<&str> = SURNAMES.into_iter().flat_map(|line| line.split(' ')).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        assert!(names.iter().all(|name| name.bytes().all(|letter| letter.is_ascii_lowercase())));
    }

    #[test]
    fn a_common_name_is_common_however_it_is_spelled() {
        for name in ["jansen", "janssen", "iansen", "kuijpers", "kuypers", "celik"] {
            assert!(is_common(&fold(name, Kind::Family)), "{name}");
        }
        for name in ["ravensbergen", "zonnevylle"] {
            assert!(!is_common(&fold(name, Kind::Family)), "{name}");
        }
    }
}
