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
alert-closed = U hebt dit afgesloten.
alert-reopened = Dit is weer open.

# E-mail: voor iedereen hetzelfde, zonder gegevens over personen.
mail-subject = U hebt een bericht in Kring
mail-greeting = Beste collega,
mail-greeting-coordinator = Beste procescoördinator,
mail-new-one = Er staat een bericht voor u klaar.
mail-new-several = Er staan { $count } berichten voor u klaar.
mail-reminder-one = Er staat nog een bericht voor u klaar.
mail-reminder-several = Er staan nog { $count } berichten voor u klaar.
mail-team-one = Een bericht binnen uw team wacht al { $days } werkdagen.
mail-team-several = { $count } berichten binnen uw team wachten al { $days } werkdagen of langer.
mail-coordinator-one = Een match wacht al { $days } werkdagen.
mail-coordinator-several = { $count } matches wachten al { $days } werkdagen of langer.
mail-link = Log in om het te lezen: { $link }
mail-deadline = Reageer uiterlijk op { $date }.
mail-nothing-personal = In deze e-mail staan geen gegevens over personen.
mail-closing = Met vriendelijke groet,
mail-month-1 = januari
mail-month-2 = februari
mail-month-3 = maart
mail-month-4 = april
mail-month-5 = mei
mail-month-6 = juni
mail-month-7 = juli
mail-month-8 = augustus
mail-month-9 = september
mail-month-10 = oktober
mail-month-11 = november
mail-month-12 = december
