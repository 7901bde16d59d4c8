# Texts for people. Every message stands in nl.ftl too.

# On what a match rests.
basis-same = same { $fields }
basis-different = { $fields } different or unknown
basis-open = { $fields } perhaps different or unknown
basis-none = what this rests on can no longer be seen

# For more than one person.
basis-child = Child: { $basis }
basis-parent = Parent: { $basis }
basis-other = Other: { $basis }

list-and = { $rest } and { $last }

field-bsn = BSN
field-name = name
field-given-name = given name
field-family-name = surname
field-given-name-start = beginning of the given name
field-name-starts = beginning of the names
field-any-name-start = beginning of one of the names
field-name-and-initial = one name and the first letter of the other
field-initial = initial
field-birth-date = birth date
field-birthday = day and month of birth
field-address = address
field-postal-code = postal code
field-house-number = house number
