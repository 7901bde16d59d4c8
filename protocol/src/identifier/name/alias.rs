//! Given names that one person goes by: a call name for a registered one, and one name as several languages and
//! transliterations write it.
//!
//! A modest list, put together by hand; the derivations of Dutch call names are those that the Nederlandse
//! Voornamenbank of the Meertens Instituut describes. A call name that stands for several registered names (`Bert`)
//! is left out, and so are names that are as often given to two children of one family (`Anna` and `Anne`).
//! Part of what partners must agree on: `docs/protocol.md` section 1.3 prints it.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::spelling::{Kind, fold};

/// The first of each line stands for all of it.
pub(super) const GROUPS: [&str; 82] = [
    // Dutch call names.
    "johannes johan jan hans johannis joannes",
    "johanna hanneke joke",
    "cornelis kees cees cor corneel cornelius",
    "cornelia corrie nelleke",
    "petrus piet pieter peter",
    "hendrik henk hendrikus hendricus henricus henri",
    "hendrika hendrica riek rika",
    "wilhelmus willem wim wilhelm",
    "wilhelmina willemina wilma mien",
    "jacobus jacob jakob jaap koos sjaak",
    "jacoba coby cobie",
    "gerardus gerard gerrit gert geert ger",
    "martinus martin maarten martien",
    "theodorus theo dorus",
    "theodora dora",
    "antonius anton ton toon antoon antonie anthonie",
    "adrianus adriaan adrian arjan ad arie aad",
    "franciscus frans",
    "francisca cisca",
    "nicolaas nicolaus klaas claas nico",
    "lambertus lambert",
    "gijsbertus gijsbert gijs",
    "leonardus leonard leo leendert leen",
    "albertus albert ab",
    "hubertus hubert huub huib",
    "robert rob",
    "ronald ron",
    "christiaan christian christianus kristiaan chris",
    "matthijs mathijs thijs matthias",
    "sebastiaan sebastian bas",
    "alexander alex lex aleksander aleksandr oleksandr",
    "samuel sam",
    "thomas tom",
    "benjamin ben",
    "michael michiel michel maikel",
    "elisabeth elizabeth liesbeth lisbeth els bep",
    "maria marja ria",
    "catharina katharina trijntje katrien",
    "margaretha margreet margriet greet greetje",
    "geertruida geertrui truus trudy",
    "susanna susanne suzanne suus zuzanna",
    // Arabic, Moroccan and Turkish names.
    "mohamed mohammed mohammad mohamad muhammad muhammed muhammet",
    "ahmed ahmad achmed achmad ahmet",
    "khadija khadidja chadija gadija hadija",
    "hatice hatidje hatije",
    "khalid chalid galid khaled",
    "josephus joseph jozef josef jos sjef youssef yousef yusuf joesoef youssouf",
    "younes yunus younous yunes",
    "hussein hoessein hussain houssain hossain huseyin",
    "ismail ismael",
    "ibrahim brahim",
    "idriss driss",
    "ilias elias ilyas",
    "laila leila layla",
    "zahra zohra",
    "aicha aisha ayesha",
    "jamal djamal gamal cemal jemal",
    "jamila djamila gamila cemile",
    "abdullah abdellah abdallah",
    "abdeslam abdessalam abdelsalam",
    "noureddine nordin nourdin nurettin",
    "othman othmane osman uthman",
    "mehdi mahdi",
    "reda rida",
    "imane iman",
    "oussama usama osama",
    "nejat najat nadjat",
    // Eastern European names.
    "aleksandra alexandra oleksandra",
    "ekaterina jekaterina katerina kateryna",
    "elena jelena olena",
    "evgeni jevgeni yevgeny yevhen",
    "dmitri dimitri dmytro",
    "nikolai mykola",
    "mikhail michail mihail mychajlo",
    "vladimir volodymyr",
    "andrei andrej andriy andrzej",
    "sofia sofija zofia",
    "pavel pawel pavlo",
    "piotr pjotr",
    "georgi heorhi georgy",
    "yuri joeri iouri",
    "krzysztof kristof",
];

static REGISTERED: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    let folded = |name| fold(name, Kind::Given);
    let pairs = |group: &'static str| {
        let first = folded(group.split(' ').next().unwrap_or_default());
        group.split(' ').map(move |name| (folded(name), first.clone()))
    };
    GROUPS.into_iter().flat_map(pairs).collect()
});

/// The folded name that a folded name stands for: itself, unless it is in the list.
pub(super) fn registered(folded: String) -> String {
    REGISTERED.get(&folded).cloned().unwrap_or(folded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_protocol_prints_the_list() {
        let printed = include_str!("../../../../docs/protocol.md");
        assert!(printed.contains(&format!("```\n{}\n```", GROUPS.join("\n"))));
    }

    #[test]
    fn no_name_stands_for_two() {
        let mut seen: HashMap<String, &str> = HashMap::new();
        for group in GROUPS {
            for name in group.split(' ') {
                if let Some(other) = seen.insert(fold(name, Kind::Given), group) {
                    assert_eq!(other, group, "{name}");
                }
            }
        }
    }
}
