# Teksten voor mensen. Elk bericht staat ook in en.ftl. Kort, en zonder woorden die alleen kenners begrijpen.

# Waar een match op rust.
basis-same = zelfde { $fields }
basis-different = { $fields } anders of onbekend
basis-open = { $fields } misschien anders of onbekend
basis-none = waarop dit rust, is niet meer te zien

# Bij meer dan één persoon.
basis-child = Kind: { $basis }
basis-parent = Ouder: { $basis }
basis-other = Ander: { $basis }

list-and = { $rest } en { $last }

field-bsn = BSN
field-name = naam
field-given-name = voornaam
field-family-name = achternaam
field-given-name-start = begin van de voornaam
field-name-starts = begin van de naam
field-any-name-start = begin van een van de namen
field-name-and-initial = een naam met de eerste letter van de andere
field-initial = voorletter
field-birth-date = geboortedatum
field-birthday = geboortedag
field-address = adres
field-postal-code = postcode
field-house-number = huisnummer

# Wat iemand over een melding moet horen.
alert-involved = Ook een andere organisatie is betrokken.
alert-joined = Er is nog een organisatie betrokken.
alert-responded = De andere organisatie heeft gereageerd.
alert-card = U kunt de andere organisatie nu bereiken.
alert-lead-claimed = Een andere organisatie wil het aanspreekpunt zijn. Bent u het daarmee eens?
alert-lead-offered = Het aanspreekpunt vraagt of u het overneemt.
alert-lead-contested = Meer dan één organisatie wil het aanspreekpunt zijn. Spreek af wie het wordt.
alert-other-closed = De andere organisatie heeft dit afgesloten.
alert-ended = De andere organisatie is niet meer betrokken.
alert-not-right = De andere organisatie zegt dat dit niet klopt.
alert-silent = De andere organisatie heeft niet op tijd gereageerd.
alert-reminder = Dit wacht op u. Doe iets vóór of op { $date }.
alert-overdue = Dit had al gedaan moeten zijn. Werkdagen wachttijd: { $days }.
alert-escalated = De procescoördinator hoort dat dit wacht. Werkdagen wachttijd: { $days }.
alert-own-card-late = Uw contactkaart is niet op tijd verstuurd.
alert-other-card-late = De contactkaart van de andere organisatie komt niet op tijd.
alert-traceable = De andere organisatie blijft stil. Haar naam kan worden opgevraagd.
alert-crowded = Er zijn te veel matches. De laatste staan hier niet bij.
alert-closed = U heeft dit afgesloten.
alert-reopened = Dit is weer open.
