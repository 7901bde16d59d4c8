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

# What somebody was to be told about a notice.
alert-involved = Another organisation is involved too.
alert-joined = One more organisation is involved.
alert-responded = The other organisation has answered.
alert-card = You can reach the other organisation now.
alert-lead-claimed = Another organisation wants to be the lead. Do you agree?
alert-lead-offered = The lead asks you to take over.
alert-lead-contested = Several organisations want to be the lead. Agree on one.
alert-other-closed = The other organisation has closed this.
alert-ended = The other organisation is not involved any more.
alert-not-right = The other organisation says that this is not right.
alert-silent = The other organisation has not answered in time.
alert-reminder = This waits for you. Do something by { $date }.
alert-overdue = This should have been done. Working days it has waited: { $days }.
alert-escalated = The process coordinator is told that this waits. Working days it has waited: { $days }.
alert-own-card-late = Your contact card was not sent in time.
alert-other-card-late = The other organisation's contact card does not come in time.
alert-traceable = The other organisation stays silent. Its name can be asked for.
alert-crowded = There are too many matches. The last ones are not shown here.
alert-closed = You have closed this.
alert-reopened = This is open again.

# Mail: the same for everyone, without anything personal.
mail-subject = You have a message in Kring
mail-greeting = Dear colleague,
mail-greeting-coordinator = Dear process coordinator,
mail-new-one = There is a message for you.
mail-new-several = There are { $count } messages for you.
mail-reminder-one = There is still a message for you.
mail-reminder-several = There are still { $count } messages for you.
mail-team-one = A message within your team has waited { $days } working days.
mail-team-several = { $count } messages within your team have waited { $days } working days or longer.
mail-coordinator-one = A match has waited { $days } working days.
mail-coordinator-several = { $count } matches have waited { $days } working days or longer.
mail-link = Sign in to read it: { $link }
mail-deadline = Answer on { $date } at the latest.
mail-nothing-personal = This mail holds nothing about persons.
mail-closing = Kind regards,
mail-month-1 = January
mail-month-2 = February
mail-month-3 = March
mail-month-4 = April
mail-month-5 = May
mail-month-6 = June
mail-month-7 = July
mail-month-8 = August
mail-month-9 = September
mail-month-10 = October
mail-month-11 = November
mail-month-12 = December
