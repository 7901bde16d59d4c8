//! Names of invented families. Spellings that partners use for one name stand together.

/// A given name as registered, and how people call or spell it, with the same first letter; also that of the name it is
/// short for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) registered: &'static str,
    pub(super) called: &'static str,
}

impl Given {
    /// How it begins: the same for first letters that recognition may take for one.
    pub(super) fn initial(&self) -> char {
        match self.registered.chars().next().expect("no name is empty") {
            'C' | 'Ç' | 'K' | 'Q' | 'S' | 'X' | 'Z' => 'S',
            'F' | 'V' | 'W' => 'F',
            'I' | 'İ' | 'J' | 'Y' => 'I',
            'Ł' => 'L',
            'Ö' | 'U' => 'O',
            first => first,
        }
    }
}

/// A surname, its prefix and other spellings of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Surname {
    pub(super) prefix: &'static str,
    pub(super) name: &'static str,
    pub(super) spellings: &'static [&'static str],
}

/// Where a family's names come from.
#[derive(Debug)]
pub(super) struct Origin {
    pub(super) given: &'static [Given],
    pub(super) surnames: &'static [Surname],
}

const fn g(registered: &'static str, called: &'static str) -> Given {
    Given { registered, called }
}

const fn s(prefix: &'static str, name: &'static str, spellings: &'static [&'static str]) -> Surname {
    Surname { prefix, name, spellings }
}

const DUTCH: Origin = Origin {
    given: &[
        g("Anna Maria", "Annemiek"),
        g("Bram", "Bram"),
        g("Chloë", "Chloe"),
        g("Daniël", "Daan"),
        g("Elisabeth Johanna", "Els"),
        g("Femke", "Femke"),
        g("Gerrit Jan", "Gert"),
        g("Hendrikus", "Henk"),
        g("Ilse", "Ilse"),
        g("Johannes Cornelis", "Joop"),
        g("Kathelijne", "Katelijne"),
        g("Lieke", "Lieke"),
        g("Margaretha", "Margreet"),
        g("Noa", "Noah"),
        g("Olivier", "Oliver"),
        g("Petronella", "Pietje"),
        g("Quinten", "Kwinten"),
        g("Rozemarijn", "Roos"),
        g("Susanna", "Sanne"),
        g("Tobias", "Tobyas"),
        g("Vera", "Vera"),
        g("Willem", "Wim"),
        g("Zoë", "Zoe"),
    ],
    surnames: &[
        s("van der", "Berg", &[]),
        s("de", "Vries", &[]),
        s("van den", "Heuvel", &[]),
        s("van", "Dijk", &["Dyk", "Dijck"]),
        s("", "Jansen", &["Janssen"]),
        s("", "Kuiper", &["Kuyper", "Kuijper"]),
        s("van 't", "Hof", &[]),
        s("", "Bouwman", &["Bouman"]),
        s("", "Schouten", &["Schoutten"]),
        s("de", "Wit", &["With"]),
        s("", "Prins", &["Prinsz"]),
        s("van der", "Meer", &[]),
        s("ter", "Horst", &[]),
        s("", "Visser", &["Visscher"]),
        s("op den", "Kamp", &["Camp"]),
    ],
};

const TURKISH: Origin = Origin {
    given: &[
        g("Ayşe", "Ayse"),
        g("Burak", "Burak"),
        g("Çağla", "Cagla"),
        g("Deniz", "Deniz"),
        g("Emine", "Emine"),
        g("Fatma", "Fatma"),
        g("Gökhan", "Gokhan"),
        g("Hüseyin", "Huseyin"),
        g("İbrahim", "Ibrahim"),
        g("Kübra", "Kubra"),
        g("Leyla", "Leyla"),
        g("Mehmet", "Mehmed"),
        g("Nuray", "Nuray"),
        g("Ömer", "Omer"),
        g("Recep", "Receb"),
        g("Selin", "Selin"),
        g("Tuğba", "Tugba"),
        g("Yusuf", "Joesoef"),
        g("Zeynep", "Zeyneb"),
    ],
    surnames: &[
        s("", "Yılmaz", &["Yilmaz"]),
        s("", "Özdemir", &["Ozdemir"]),
        s("", "Şahin", &["Sahin"]),
        s("", "Çelik", &["Celik"]),
        s("", "Kaya", &[]),
        s("", "Erdoğan", &["Erdogan"]),
        s("", "Karataş", &["Karatas"]),
    ],
};

const MOROCCAN: Origin = Origin {
    given: &[
        g("Ahmed", "Achmed"),
        g("Btissam", "Btissam"),
        g("Chaima", "Shaima"),
        g("Dounia", "Dounya"),
        g("Fatima Zohra", "Fatima"),
        g("Hamza", "Hamza"),
        g("Ilham", "Ilham"),
        g("Khadija", "Khadidja"),
        g("Latifa", "Latifa"),
        g("Mohamed", "Mohammed"),
        g("Nadia", "Nadya"),
        g("Omar", "Omar"),
        g("Rachid", "Rashid"),
        g("Soufiane", "Sofian"),
        g("Tarik", "Tariq"),
        g("Yassine", "Yassin"),
        g("Zakaria", "Zakariya"),
    ],
    surnames: &[
        s("El", "Idrissi", &[]),
        s("El", "Amrani", &[]),
        s("Ben", "Ali", &[]),
        s("", "Bouzidi", &["Bouzidy"]),
        s("", "Haddad", &["Hadad"]),
        s("Ait", "Baddou", &["Badou"]),
        s("", "Chaouch", &["Chaoush"]),
    ],
};

const SURINAMESE: Origin = Origin {
    given: &[
        g("Anil", "Anil"),
        g("Bryan", "Brian"),
        g("Cheryl", "Sheryl"),
        g("Dewi", "Dewi"),
        g("Faranaaz", "Faranaz"),
        g("Gaitrie", "Gaitri"),
        g("Humphrey", "Humfrey"),
        g("Iwan", "Ivan"),
        g("Kavita", "Kavita"),
        g("Lloyd", "Loyd"),
        g("Mavis", "Mavis"),
        g("Naomi", "Naomi"),
        g("Ravi", "Ravi"),
        g("Sharmila", "Sjarmila"),
        g("Terrence", "Terence"),
        g("Wendell", "Wendel"),
    ],
    surnames: &[
        s("", "Ramdhani", &["Ramdani"]),
        s("", "Soekhai", &["Sukhai"]),
        s("", "Bhagwandin", &["Bhagwandien"]),
        s("", "Pinas", &[]),
        s("", "Kartodikromo", &[]),
        s("", "Wijngaarde", &["Wyngaarde"]),
    ],
};

const POLISH: Origin = Origin {
    given: &[
        g("Agnieszka", "Aga"),
        g("Bartosz", "Bartek"),
        g("Danuta", "Danuta"),
        g("Ewa", "Eva"),
        g("Filip", "Philip"),
        g("Grzegorz", "Greg"),
        g("Jakub", "Jakob"),
        g("Katarzyna", "Kasia"),
        g("Łukasz", "Lukas"),
        g("Magdalena", "Magda"),
        g("Oliwia", "Olivia"),
        g("Paweł", "Pawel"),
        g("Stanisław", "Staszek"),
        g("Tomasz", "Tomek"),
        g("Wojciech", "Wojtek"),
        g("Zofia", "Zosia"),
    ],
    surnames: &[
        s("", "Kowalska", &["Kovalska"]),
        s("", "Wiśniewski", &["Wisniewski"]),
        s("", "Dąbrowski", &["Dabrowski"]),
        s("", "Wójcik", &["Wojcik"]),
        s("", "Lewandowska", &["Levandovska"]),
        s("", "Zieliński", &["Zielinski"]),
    ],
};

/// Every origin, the Dutch one as often as it is drawn.
pub(super) const ORIGINS: [&Origin; 8] =
    [&DUTCH, &DUTCH, &DUTCH, &DUTCH, &TURKISH, &MOROCCAN, &SURINAMESE, &POLISH];
