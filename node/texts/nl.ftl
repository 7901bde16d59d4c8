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
