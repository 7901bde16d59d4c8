# Texts of the pages. Every message stands in pages.nl.ftl too. One message a line, short sentences.

# On every page.
app-name = Kring
skip-to-content = Skip to content
test-data = Test data: do not use this for real families.
test-data-why = The traffic of this set-up shows when you do something.
main-menu = Main menu
language-choice = Language
language-nl = Nederlands
language-en = English
sign-out = Sign out
footer-danger = Is anybody in danger now?
footer-call-112 = Call 112
footer-doubt = Not sure about somebody's safety?
footer-call-veilig-thuis = Call Veilig Thuis: 0800-2000
footer-no-report = A signal in Kring is not a report to Veilig Thuis. Always follow the reporting code.
footer-place = { $organisation } uses Kring. Other organisations do not see your data about families.
error-summary = There is a problem
error-in-title = Error:
error-before = Error:
optional = optional
back = Back
continue = Continue
cancel = Cancel

# Menu.
menu-overview = My overview
menu-new-signal = Give a signal
menu-expiring = Signals that end
menu-team = My team
menu-absence = Absence and hand-over
menu-import = Import
menu-people = People and teams
menu-network = Network
menu-access-request = Access request
menu-audit = Audit log
menu-account = My account

# When something does not work.
failed-title = This does not work now
failed-text = Something went wrong on our side. What you saved is still there. Try again in a minute.
not-found-title = There is no such page
not-found-text = The address is wrong, or you may not see this page.
no-right-title = You may not see this page
no-right-text = Ask your manager if you think that this is wrong.
to-overview = To my overview
