# What stands around every page, and pages about errors.

frame-skip = Skip to the content
frame-offline = The page cannot reach the app. The work goes on. Trying again.
frame-signed-out = You were signed out. Open the app again from Home Assistant.
frame-back = Back to the disks
frame-error = Error: { $title }

error-not-found-title = There is no such page
error-not-found-happened = The address leads nowhere, or what it showed is gone.
error-not-found-todo = Go back to the disks.
error-wrong-method-title = This page cannot be used that way
error-wrong-method-happened = Nothing was done.
error-wrong-method-todo = Go back to the disks and begin there.
error-bad-form-title = The form could not be read
error-bad-form-happened = Nothing was done.
error-bad-form-todo = Go back to the disks and fill the form in again.
