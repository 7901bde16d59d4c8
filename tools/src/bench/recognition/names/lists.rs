//! The lists: entries separated by commas, the most common first. `Registered:Called/Spelling` and
//! `prefix|Name/Spelling`.

/// The names of one background.
#[derive(Debug)]
pub(super) struct Lists {
    pub(super) girls: &'static str,
    pub(super) boys: &'static str,
    pub(super) women: &'static str,
    pub(super) men: &'static str,
    /// Common surnames.
    pub(super) surnames: &'static str,
    /// Share of families that have one of the common surnames; the others have one put together.
    pub(super) common: f64,
    pub(super) stems: &'static str,
    pub(super) endings: &'static str,
    /// Endings that never take a prefix.
    pub(super) bare_endings: &'static str,
    /// Prefixes of the others, as often as they are drawn.
    pub(super) prefixes: &'static [&'static str],
    /// Share of persons with a second registered given name.
    pub(super) second_name: f64,
}

pub(super) const DUTCH: Lists = Lists {
    girls: "Emma,Julia,Mila,Sophie/Sofie,Olivia,Tess,Zoë,Sara/Sarah,Nora,Anna,Saar,Evi,Noor,Eva,Lotte,Milou,Yara/Jara,\
        Lauren,Elin,Liv,Fleur,Maud/Maut,Lieke,Lynn/Lin,Isa,Lisa,Nina,Fenna,Feline,Roos,Sofia,Hannah/Hanna,Fien,Elena,\
        Jasmijn/Yasmijn,Isabella,Vera,Charlotte:Lotte,Maria,Lina,Femke,Noa/Noah,Sanne,Iris,Puck,Anouk/Anoek,Bo,\
        Esmee/Esmée,Amy,Floor,Linde,Mia,Elise/Elize,Naomi,Amber,Suze,Merel,Veerle,Jade,Romy,Britt/Brit,Demi,Kim,\
        Marit,Senna,Luna,Rosalie,Ivy,Benthe/Bente,Ilse,Loïs,Chloë/Chloe,Wende,Johanna:Jo,Elisabeth:Liesbeth,\
        Catharina:Catelijne,Wilhelmina:Mina,Susanna:Sanne,Kyra/Kira,Dewi,Lana,Tessa,Quinty/Quinti,Aaltje,Hilde",
    boys: "Noah,Sem,Daan,Lucas/Lukas,Levi,Finn/Fin,Liam,Luuk/Luc,Bram,Milan,Jesse,Thijs/Tijs,Thomas/Tomas,Adam,Sam,\
        James,Benjamin,Noud,Max,Julian,Luca/Luka,Hugo,Guus,Mees,David,Ties,Gijs,Tim,Lars,Jayden/Jaden,Teun,Olivier,\
        Boaz,Siem,Ruben,Mason,Stijn,Mats,Jens,Tobias,Owen,Cas/Kas,Morris/Maurice,Floris,Jurre,Otis,Dex,Joep,Roan,Pim,\
        Samuel:Sam,Willem,Johannes:Jan,Tygo/Tijgo,Sven,Niek/Nick,Dylan/Dilan,Ryan,Abel,Vince,Quinten/Kwinten,\
        Jelle,Twan,Niels,Casper/Kasper,Philip/Filip,Hendrik:Henk,Cornelis:Kees,Pieter:Piet,Koen/Coen,Jasper,\
        Rens,Sebastiaan:Bas,Alexander:Lex,Matthijs/Mathijs,Wessel,Jip,Tijn,Fabian,Joris,Xavi,Nathan,Fedde,Hidde",
    women: "Maria:Marja,Johanna:Hanneke,Anna:Anneke,Linda,Petra,Monique,Sandra,Esther/Ester,Elisabeth:Els,\
        Wilhelmina:Willy,Cornelia:Corrie,Kim,Saskia,Marieke,Nicole,Daniëlle/Danielle,Chantal/Sjantal,Mirjam/Miriam,\
        Patricia,Wendy,Suzanne/Susanne,Laura,Manon,Ingrid,Catharina:Carin,Margaretha:Greet,Melissa,Bianca/Bianka,\
        Angelique/Angelik,Karin/Carin,Astrid,Hendrika:Riek,Jacoba:Coby,Femke,Marloes,Anouk,Denise,Kelly,\
        Jessica/Jessika,Samantha,Iris,Maaike,Ellen,Yvonne/Ivonne,Debbie,Miranda,Jolanda/Yolanda,Claudia,Simone,\
        Tamara,Vanessa,Priscilla,Renate,Leonie,Floor,Roxanne,Geertruida:Truus,Adriana:Jeanne,Theodora:Dora,\
        Elisabeth Maria:Liesbeth,Susanna:Suus,Judith,Anja,Carolina:Carla,Josephina:Josien,Heleen,Nathalie/Natalie",
    men: "Johannes:Jan,Peter/Pieter,Cornelis:Kees,Hendrik:Henk,Willem:Wim,Jeroen,Mark/Marc,Martijn,Dennis,\
        Michel/Michael,Patrick/Patrik,Marcel,Robert:Rob,Richard:Ries,Jacobus:Koos,Erik/Eric,Bas,Ronald:Ron,Edwin,\
        Danny,Jeffrey/Geoffrey,Kevin,Stefan/Stephan,Wouter,Sander,Arjan/Adriaan,Gerardus:Gerard,Petrus:Piet,\
        Antonius:Ton,Adrianus:Ad,Franciscus:Frans,Wilhelmus:Willem,Martinus:Martin,Jan,Paul,Frank,Remco/Remko,\
        Roy,Jasper,Bart,Ruud,Niels,Theodorus:Theo,Lambertus:Bert,Gijsbertus:Gijs,Nicolaas:Nico/Nicolaas,Vincent,\
        Tom,Joost,Maarten,Barry,Leendert:Leen,Ferdinand:Fer,Matthijs/Mathijs,Rick/Rik,Mitchell/Mitchel,Ricardo,\
        Christiaan:Chris/Kristiaan,Gerrit:Gert,Jacob:Jaap,Klaas/Claas,Ramon,Leonardus:Leo,Josephus:Jos,Albertus:Ab",
    surnames: "de|Jong/Jongh,Jansen/Janssen/Janse,de|Vries,van den|Berg/Bergh,van|Dijk/Dyk/Dijck,Bakker,Janssen/Jansen,\
        Visser/Visscher,Smit/Smidt,Meijer/Meyer/Meier,de|Boer,Mulder,de|Groot,Bos/Bosch,Vos,Peters/Pieters,Hendriks/\
        Hendricks/Hendrix,van|Leeuwen,Dekker/Decker,Brouwer,de|Wit/Witt,Dijkstra/Dykstra,Smits,de|Graaf/Graaff,van der|\
        Meer,van der|Linden,Kok/Cock,Jacobs/Jakobs,de|Haan/Haen,Vermeulen,van den|Heuvel,van der|Veen,van den|Broek/\
        Broeck,de|Bruijn/Bruin/Bruyn,Schouten,van|Beek/Beeck,van der|Heijden/Heyden/Heiden,Willems,van|Vliet,Hoekstra,\
        Maas,Verhoeven,Koster/Coster,van|Dam,van der|Wal,Prins,Blom/Blum,Huisman,Peeters/Peters,de|Jonge,Kuipers/Kuypers/\
        Kuijpers,van|Veen,Veenstra,Kramer/Cramer,van|Wijk/Wyk,Postma,Martens,Timmermans,Groen,Gerritsen,Schipper,van der|\
        Velde/Velden,Bosman/Bosmans,van den|Brink,Evers,van der|Pol,de|Lange,Verbeek/Verbeeck,Scholten/Scholte,van|Doorn,\
        Hermans/Hermens,Molenaar/Meulenaar,van|Loon,Wolters/Wouters,Kuiper/Kuyper/Kuijper,de|Leeuw,van de|Ven,Claassen/\
        Klaassen,Sanders/Zanders,Koopmans/Koopman,Post,van 't|Hof,ter|Horst,Zijlstra/Zylstra,in 't|Veld,van der|Sluis/\
        Sluijs,op den|Kamp",
    common: 0.20,
    stems: "Ooster Wester Noorder Zuider Hazel Brink Linden Kamper Hout Wolfs Berken Eiken Steen Molen Wal Rijk Zand Dries \
        Heeren Lang Kort Groene Zwarte Roos Wijn Boon Veld Nieuw Hooge Lage Bree Smal Diepen Konings Vogel Haver Rogge \
        Tarwe Wilgen Elzen Essen Beuken Doorne Raven Valken Haas Otter Wester Zilver Ijzer Koper Gouden Stroo Klaver \
        Bloemen Appel Peren Note Kersen Vlier Heide Riet Bieze Turf Schaap Koe Peerde Ganzen Zwane Eende",
    endings: "man stra sma inga ink kamp berg huis horst veld dijk broek hof meijer sen ers sema ema mans huizen stein brink \
        laar voort beek hout daal donk rode wijk schot boom bos mars wold sluis brug water hoek haar",
    bare_endings: "man stra sma inga ink meijer sen ers sema ema mans stein",
    prefixes: &["", "van", "van", "van", "van der", "van der", "van den", "van de", "ter", "de"],
    second_name: 0.5,
};

pub(super) const TURKISH: Lists = Lists {
    girls: "Zeynep/Zeyneb,Elif,Defne,Meryem/Meriem,Ecrin,Nisa,Azra,Esila,Eylül/Eylul,Hira,Asya/Asia,Ayşe/Ayse,Fatma,\
        Melisa/Melissa,Selin,Ela,Rabia,Sümeyye/Sumeyye,Beyza,İrem/Irem,Berra,Yağmur/Yagmur,Nehir,Duru,Ceylin,Emine,Kübra/\
        Kubra,Esma,Hatice/Hatidje,Büşra/Busra",
    boys: "Yusuf/Yousuf/Joesoef,Ömer/Omer,Emir,Mehmet/Mehmed,Mustafa/Moustafa,Ali,Eymen,Kerem,Hamza,Miraç/Mirac,Ahmet/\
        Ahmed,Emre,Enes,Berat,Deniz,Furkan,Baran,Kaan,Yiğit/Yigit,İbrahim/Ibrahim,Arda,Can,Efe,Umut,Burak,Semih,Taha,\
        Muhammed/Mohammed/Muhammet,Eren,Batuhan",
    women: "Fatma,Ayşe/Ayse,Emine,Hatice/Hatidje,Zeynep/Zeyneb,Elif,Meryem/Meriem,Hülya/Hulya,Songül/Songul,Gülay/Gulay,\
        Yasemin/Jasemin,Özlem/Ozlem,Sevgi,Nuray,Filiz,Tuğba/Tugba,Sibel,Derya,Nurcan,Hacer,Şerife/Serife,Zehra,Leyla/\
        Leila,Esra,Ebru,Semra,Melek,Havva,Çiğdem/Cigdem,Arzu",
    men: "Mehmet/Mehmed,Mustafa/Moustafa,Ahmet/Ahmed,Ali,Hüseyin/Huseyin,Hasan/Hassan,İbrahim/Ibrahim,İsmail/Ismail,Murat/\
        Murad,Ömer/Omer,Ramazan,Yusuf/Joesoef,Osman,Süleyman/Suleyman,Fatih,Recep/Receb,Kemal,Orhan,Bülent/Bulent,\
        Serkan,Erkan,Hakan,Bayram,Cemal/Djemal,Selim,Halil,Uğur/Ugur,Metin,Gökhan/Gokhan,Adem",
    surnames: "Yılmaz/Yilmaz,Kaya,Demir,Şahin/Sahin,Çelik/Celik,Yıldız/Yildiz,Yıldırım/Yildirim,Öztürk/Ozturk,Aydın/Aydin,\
        Özdemir/Ozdemir,Arslan/Aslan,Doğan/Dogan,Kılıç/Kilic,Aslan/Arslan,Çetin/Cetin,Kara,Koç/Koc,Kurt,Özkan/Ozkan,\
        Şimşek/Simsek,Polat,Korkmaz,Çakır/Cakir,Erdoğan/Erdogan,Acar,Bulut,Güneş/Gunes,Taş/Tas,Aksoy,Avcı/Avci,Köse/\
        Kose,Bozkurt,Ateş/Ates,Uçar/Ucar,Yavuz,Can",
    common: 0.5,
    stems: "Kara Ak Öz Er Demir Kaya Gül Yıldız Altın Taş Bay Gök Tek Boz Ay Gün Kızıl Sarı Uz Bal",
    endings: "oğlu türk can demir kaya taş kan soy doğan tekin alp man gül tepe göz dağ kurt su",
    bare_endings: "",
    prefixes: &[],
    second_name: 0.15,
};

pub(super) const MOROCCAN: Lists = Lists {
    girls: "Noor/Nour,Inaya,Amira,Lina,Sara/Sarah,Yasmine/Jasmin/Yasmin,Aya,Malak,Salma,Hafsa,Nora/Noura,Safae/Safa,Dina,Imane/\
        Iman,Jihane/Jihan,Chaima/Shaima,Hajar,Ikram,Assia/Asia,Hanae/Hana,Nisrine/Nisrin,Soumaya/Sumaya,Douae/Dua,\
        Fatima Zahra:Fatima,Rania,Sofia,Btissam/Ibtissam,Romaissa/Roumaissa,Oumaima/Umaima,Ilham",
    boys: "Mohamed/Mohammed/Muhammad,Adam,Rayan/Ryan,Amir,Bilal/Billal,Ayoub/Ayub,Imran,Ilias/Ilyas/Elias,Zakaria/Zakariya,\
        Hamza,Anas/Anass,Yassine/Yassin/Jassin,Ibrahim/Brahim,Ismail/Ismael,Soufiane/Sofian/Sufyan,Younes/Yunus/Jounes,Omar,\
        Othmane/Osman/Othman,Nassim/Nasim,Marwan/Marouane,Walid/Oualid,Mehdi/Mahdi,Reda/Rida,Ahmed/Achmed,Yousef/Youssef/\
        Joesef,Achraf/Ashraf,Tarik/Tariq,Naoufal/Naufal,Jamal/Djamal,Taha",
    women: "Fatima,Khadija/Khadidja/Chadija,Naima/Naïma,Fatiha,Malika,Rachida/Rashida,Samira,Latifa,Karima,Saida/Saïda,Nadia,\
        Hanane/Hanan,Najat/Nadjat,Jamila/Djamila,Mina,Aicha/Aïcha/Aisha,Hayat/Hayet,Souad/Suad,Zohra/Zahra,Loubna/Lubna,\
        Ouafae/Wafa,Siham,Nezha/Nouzha,Houria,Yamina/Jamina,Farida,Laila/Leila/Leyla,Amina/Amena,Habiba,Asmae/Asma",
    men: "Mohamed/Mohammed/Muhammad,Ahmed/Achmed,Hassan/Hasan,Said/Saïd,Rachid/Rashid,Abdelkader/Abdulkader,Mustapha/Mustafa/\
        Mostafa,Mimoun/Maimoun,Driss/Idriss,Khalid/Chalid,Abdellah/Abdullah,Jamal/Djamal,Aziz,Karim,Brahim/Ibrahim,Hamid,\
        Nordin/Noureddine/Nourdin,Abdeslam/Abdessalam,Youssef/Yousef,Omar,Farid,Ali,Lahcen/Lahsen,Mourad/Murad,Redouan/\
        Redouane,Hicham/Hisham,Aissa/Aïssa,Tarik/Tariq,Kamal/Kamel,Houssain/Hussain/Hoessein",
    surnames: "El|Idrissi,El|Amrani,Bouzidi/Bouzidy,Benali,El|Haddad/Hadad,Ait|Baddou,Chaouch,Azzouzi/Azouzi,Bakkali/Bakali,El|\
        Khattabi/Khatabi,Ben|Said,El|Hamdaoui,Amhali,Bouchiba,Achahbar,El|Yaakoubi/Yakoubi,Zarouali,Boutaher/Boutahar,Aarab/\
        Arab,El|Morabit/Mourabit,Tahiri,Ouali/Wali,Bennani,Kaddouri/Kadouri,El|Fassi/Fasi,Ahmidi,Belhaj/Bel Hadj,Mansouri,\
        El|Ouariachi,Chrifi",
    common: 0.45,
    stems: "Bou Ben Bel Ham Kha Mes Our Zer Ach Taj Laa Naj Raf Sab Mou Far Gha Jaa Tou Kar",
    endings: "aoui iri ouali azzi ouch idi hali loufi ani routi taleb kacem moun rabet dani chadi",
    bare_endings: "aoui ouch loufi taleb",
    prefixes: &["", "", "El", "El", "Ait"],
    second_name: 0.1,
};

pub(super) const SURINAMESE: Lists = Lists {
    girls: "Naomi,Shanaya,Jahzara,Kaylee/Kayleigh,Priya,Anaya,Esther,Destiny,Chanel/Shanel,Jada,Ruth,Aaliyah/Aliya,Soraya,\
        Anisha,Davina,Xaviera,Diya,Tirza,Rowena,Maya/Maja",
    boys: "Jaydon/Jayden,Damian,Shaquille/Shakil,Romano,Ravi,Jahvairo,Giovanni,Anil,Dion,Xavier,Rishi,Jermaine/Germaine,Arjun/\
        Ardjoen,Quincy,Gilano,Kishan,Denzel,Raoul/Raul,Clyde,Vishal",
    women: "Sharmila/Sjarmila,Cheryl/Sheryl,Gaitrie/Gaitri,Mavis,Asha/Asja,Carmen,Indra,Muriel,Kavita,Faranaaz/Faranaz,Sandra,\
        Lucia,Chandra/Tjandra,Jacqueline/Jacquelien,Radha,Urmila/Oermila,Shirley/Sjirley,Sabitrie/Savitri,Ingrid,Hermien",
    men: "Humphrey/Humfrey,Anil,Ricardo,Lloyd/Loyd,Soeradj/Suradj,Wendell/Wendel,Ruben,Iwan/Ivan,Roy,Radjesh/Rajesh,Carlo,\
        Stanley,Orlando,Sergio,Dennis,Glenn/Glen,Ramon,Bryan/Brian,Vinod/Winod,Errol",
    surnames: "Ramdin/Ramdien,Soekhai/Sukhai,Pinas,Kartodikromo,Wijngaarde/Wyngaarde,Bhagwandin/Bhagwandien,Martina,Ramdhani/\
        Ramdani,Biervliet,Sewpersad/Sewpersadsing,Kromosoeto,Hooplot,Blijd/Blyd,Jagesar/Jagessar,Mahabier/Mahabir,Pengel,\
        Soerodimedjo,Cairo/Kairo,Emanuels,Gopal",
    common: 0.35,
    stems: "Ram Soe Bhag Karto Jag Mahab Raj Sital Chot Gan Bis Dew Mang Pard Sard Kromo Pawiro Redjo Somo Wongso",
    endings: "persad dhani karan nath lall singh bali jit ajodhia karjo widjojo dikromo pawiro sentono redjo oedin autar ratan",
    bare_endings: "",
    prefixes: &[],
    second_name: 0.4,
};

pub(super) const EASTERN_EUROPEAN: Lists = Lists {
    girls: "Zuzanna:Zuzia/Susanna,Julia,Maja/Maya,Zofia:Zosia/Sofia,Hanna/Hana,Lena,Alicja/Alicia,Oliwia/Olivia,Amelia,Maria,\
        Emilia,Nikola/Nicola,Natalia/Natalja,Gabriela,Wiktoria/Victoria,Daria/Darja,Anastasia/Anastasija,Sofija/Sofia,Ioana,\
        Andreea/Andrea",
    boys: "Jakub:Kuba/Jakob,Antoni/Anthony,Jan,Filip/Philip,Szymon/Simon,Aleksander:Olek/Alexander,Franciszek:Franek,Mikołaj/\
        Mikolaj/Nicolai,Kacper/Casper,Wojciech:Wojtek,Oskar/Oscar,Igor,Nikodem,Michał/Michal,Dawid/David,Adrian,Maksim/Maxim,\
        Dmytro/Dmitri,Andrei/Andrej,Ivan/Iwan",
    women: "Katarzyna:Kasia,Agnieszka:Aga,Małgorzata:Gosia/Malgorzata,Anna:Ania,Monika/Monica,Joanna:Asia,Magdalena:Magda,\
        Barbara:Basia,Ewa/Eva,Aleksandra:Ola/Alexandra,Beata,Dorota,Iwona/Ivona,Renata,Sylwia/Silvia,Oksana/Oxana,Olena/\
        Elena,Tetiana/Tatjana,Elena,Mihaela/Michaela",
    men: "Piotr/Pjotr,Krzysztof:Krzys/Krzystof,Andrzej:Andrzejek/Andrei,Tomasz:Tomek/Thomas,Paweł/Pawel,Marcin/Martin,Grzegorz:\
        Grzesiek,Marek,Łukasz/Lukasz/Lucas,Rafał/Rafal,Sławomir:Slawek/Slawomir,Dariusz:Darek,Zbigniew:Zbyszek,Jacek,Robert,\
        Serhii/Sergej,Oleksandr:Sasha/Alexander,Mihai/Michai,Vasile,Georgi/Georgy",
    surnames: "Nowak/Novak,Kowalski/Kovalski,Wiśniewski/Wisniewski,Wójcik/Wojcik,Kowalczyk/Kowalczik,Kamiński/Kaminski,\
        Lewandowski/Levandovski,Zieliński/Zielinski,Szymański/Szymanski,Woźniak/Wozniak,Dąbrowski/Dabrowski,Kozłowski/\
        Kozlowski,Jankowski,Mazur,Krawczyk/Krawczik,Popescu/Popesku,Ionescu/Jonescu,Dimitrov/Dimitroff,Shevchenko/\
        Sjevtsjenko,Bondarenko",
    common: 0.3,
    stems: "Jan Kowal Wiśn Mal Zaj Krak Gór Now Star Wierz Pietr Paw Wal Zaw Sobol Mazur Jab Sikor Ost Bor Dud Gaj Kub Lip Maj",
    endings: "owski ewski iński czyk iak ek icki arz enko escu ov uk ański ik",
    bare_endings: "",
    prefixes: &[],
    second_name: 0.2,
};

pub(super) const ARABIC: Lists = Lists {
    girls: "Nour/Noor,Maryam/Mariam/Miriam,Fatima,Sham/Cham,Layan,Retaj,Jana/Janna,Sara/Sarah,Zainab/Zeinab,Hala,Rimas,Yara/\
        Jara,Tala,Aisha/Aicha,Lamar,Rahaf,Joud/Jood,Sidra,Ghazal,Rawan",
    boys: "Mohammad/Mohamed/Muhammad,Omar/Omer,Yousef/Yusuf/Joesef,Ali,Abdulrahman/Abdelrahman/Abdul Rahman,Khaled/Khalid,\
        Hussein/Hoessein/Husein,Adam,Karam,Ahmad/Ahmed,Hamza/Hamzeh,Amir/Ameer,Laith/Leith,Zain/Zein,Ibrahim/Ebrahim,Mahmoud/\
        Mahmud,Taim,Yazan/Jazan,Majd/Madjd,Anas",
    women: "Fatima/Fatema,Amal,Rana,Hanan/Hanane,Iman/Eman,Rasha,Samar,Maha,Abeer/Abir,Nisreen/Nesrin,Manal,Huda/Hoda,Reem/Rim,\
        Wafaa/Wafa,Khadija/Khadijah,Suhair/Soheir,Ruba/Roba,Ghada,Najwa/Nadjwa,Lina",
    men: "Mohammad/Mohammed/Muhammad,Ahmad/Ahmed,Khaled/Khalid,Mahmoud/Mahmud,Hassan/Hasan,Ali,Abdullah/Abdallah,Hussein/\
        Hussain/Hoessein,Omar,Samer/Samir,Ibrahim/Ebrahim,Mustafa/Moustafa,Ammar,Bassam/Basam,Firas/Feras,Nasser/Nasir,Walid/\
        Waleed,Yasser/Yasir,Tarek/Tariq,Jamal/Jamaal",
    surnames: "Al|Ahmad/Ahmed,Al|Hussein/Husein,Ibrahim/Ebrahim,Al|Ali,Hassan/Hasan,Khalil/Chalil,Al|Masri/Masry,Haddad/Hadad,\
        Al|Mohammad/Mohamed,Darwish/Darwisj,Al|Khatib/Khateeb,Al|Abdullah/Abdallah,Saleh/Salih,Mustafa/Mostafa,Suleiman/\
        Sulaiman,Al|Jasem/Jassim,Al|Hamad/Hammad,Qasem/Kassem,Younes/Yunis,Al|Shami/Chami",
    common: 0.45,
    stems: "Ab Al Bar Dar Far Gha Ham Jab Kha Mah Naj Qad Raj Saf Tah Zak Shah Mur Hil Ish",
    endings: "ouri awi adi asi out iri alla eddin mani doun bari hani sour ami aki ayek oub",
    bare_endings: "alla eddin",
    prefixes: &["", "", "Al", "Al", "Abu"],
    second_name: 0.1,
};

pub(super) const EAST_AFRICAN: Lists = Lists {
    girls: "Hodan,Amina/Aamina,Ayan/Ayaan,Sumaya/Sumeya,Fadumo/Faduma,Hamdi,Ruta/Ruth,Selam/Salam,Sabrin/Sabreen,Eden,Bilen,Naima,\
        Ikran/Ikraan,Yohana,Rahwa",
    boys: "Abdirahman/Abdirahmaan,Mohamed/Mohamud,Yonas/Jonas,Samuel,Abdi,Filmon/Philimon,Zakaria/Zakarya,Nahom,Mubarak,Yahya/\
        Jahja,Daniel,Abel,Ayub/Ayoub,Hanad,Robel",
    women: "Hawa/Xaawo,Asha/Caasha,Halima/Xaliimo,Saado,Letebrhan/Letebirhan,Tsige,Zahra/Sahra,Fadumo/Faduma,Mebrat/Mebrahtu,\
        Hibo/Hiba,Nimo/Nimco,Saba,Sagal,Freweini/Freweyni,Deqa/Deka",
    men: "Ahmed/Axmed,Abdullahi/Abdulahi,Tesfay/Tesfai,Mohamed/Maxamed,Kidane,Yusuf/Yuusuf,Hassan/Xasan,Berhane/Birhane,Ali/Cali,\
        Osman/Cismaan,Mehari,Ibrahim/Ibraahim,Abdiaziz/Abdicasiis,Teklu,Said",
    surnames: "Mohamed/Maxamed,Ali/Cali,Abdi/Cabdi,Hassan/Xasan,Ahmed/Axmed,Tesfay/Tesfai,Hussein/Xuseen,Omar/Cumar,Gebremedhin/\
        Ghebremedhin,Haile/Hayle,Yusuf/Yuusuf,Osman/Cusmaan,Tekle/Tecle,Warsame,Ghebreab/Gebreab,Farah/Faarax,Abraha/Abreha,\
        Isse/Ciise,Weldu/Woldu,Jama/Jaamac",
    common: 0.7,
    stems: "Gebre Tesfa Wolde Haile Tekle Abdi War Far Ker Mehre",
    endings: "mariam selassie michael sus slas hiwet same ahim giorgis alem",
    bare_endings: "",
    prefixes: &[],
    second_name: 0.3,
};

pub(super) const EAST_ASIAN: Lists = Lists {
    girls: "Linh,Mei,Anna,Thi Mai:Mai,Xinyi,Yuna/Joena,Emily,Hui,Thao,Jia,Chi,Lan,Sophie,My,Vy",
    boys: "Minh,Wei,Kevin,Duc,Hao,Kai/Kay,Long,Tuan,Jun,Anh,Huy,Ming,Leo,Khoa,Nam",
    women: "Thi Lan:Lan,Mei Ling:Mei,Thi Hoa:Hoa,Li,Hong,Thi Thu:Thu,Xiu Ying/Siu Ying,Ngoc,Yan,Phuong,Fang,Hanh,Ling,Trang,Wai",
    men: "Van Hung:Hung,Wei,Van Thanh:Thanh,Jian,Quoc,Ming,Van Nam:Nam,Chun,Duc,Tao,Hai,Kwok,Tuan,Bin,Wing",
    surnames: "Nguyen/Nguyên,Chen/Tsjen,Tran,Wang,Li/Lee,Zhang/Chang,Le,Liu/Lau,Pham,Wong/Huang,Lin/Lam,Wu/Ng,Vo/Vu,Zhou/Chow,\
        Hoang/Huynh,Yang/Jang,Bui,Xu/Hsu,Do,Cheung/Zhang",
    common: 0.9,
    stems: "Ch Zh L H X Y T D",
    endings: "en ang ing ong ai eng in uo",
    bare_endings: "",
    prefixes: &[],
    second_name: 0.2,
};
