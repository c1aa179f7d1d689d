# Finishing the move: what the new system shows, title, what happened, what to do. Each situation has the three under its
# name in docs/finish.md. Read by somebody whose home is off.

finish-old-home-title = Waiting for you to swap the cards
finish-old-home-happened = A Home Assistant that is set up answers. Nothing is done to it.
finish-old-home-todo = If the old card is still in: turn Home Assistant off and put the new card in. If you have swapped the cards already: your home is back, log in at { $link }

finish-booting-title = It is off or starting
finish-booting-happened = { $minutes ->
    [0] Nothing answers.
    [one] Nothing has answered for a minute.
   *[other] Nothing has answered for { $minutes } minutes.
}
finish-booting-todo = Wait: the first start takes 5 to 20 minutes and needs the internet.

finish-not-found-title = The new card was not found
finish-not-found-happened = Nothing has answered for { $minutes } minutes.
finish-not-found-todo = Check the light, the card and the network cable. Try the machine's other addresses. The old card still works.

finish-landing-title = Home Assistant is preparing itself on the new card
finish-landing-happened = The new system is up and downloads Home Assistant.
finish-landing-todo = Wait: this takes up to 20 minutes and needs the internet.

finish-starting-title = Home Assistant is starting on the new card
finish-starting-happened = It answers, but it is not ready yet.
finish-starting-todo = Wait a few minutes.

finish-stranger-title = Something else answers
finish-stranger-happened = What answers at { $host } does not speak as Home Assistant does.
finish-stranger-todo = Wait, if the new card has just been started. Else check the address.

finish-looking-title = Looking for the backup
finish-looking-happened = The new system is ready; it has not listed the backup yet.
finish-looking-todo = Wait two minutes.

finish-found-title = The new card was found
finish-found-happened = This backup lies on it: { $name }
finish-found-todo = Say whether it is to be restored.

finish-key-needed-title = The backup needs its key
finish-key-needed-happened = The backup “{ $name }” is encrypted.
finish-key-needed-todo = Enter the key from Home Assistant's emergency kit. It is sent to the new system only, and kept nowhere.

finish-key-wrong-title = The key does not fit
finish-key-wrong-happened = Home Assistant did not accept the key. Nothing was changed.
finish-key-wrong-todo = Enter the key again, with all its hyphens. It must be the one that was valid when the backup was made.

finish-must-update-title = The new system must update itself first
finish-must-update-happened = The backup was made by a newer Supervisor. The new system updates its own by itself.
finish-must-update-todo = Wait: it is tried again every minute, for half an hour.

finish-no-internet-title = The new system has no internet
finish-no-internet-happened = Without it Home Assistant does not restore: it has to download your apps.
finish-no-internet-todo = Check the network cable and the router. It is tried again every half minute.

finish-supervisor-starting-title = Home Assistant is still starting
finish-supervisor-starting-happened = It does not restore before its own start is over.
finish-supervisor-starting-todo = Wait: it is tried again every few seconds.

finish-old-card-in-title = The old card is still in the machine
finish-old-card-in-happened = Home Assistant sees two installations and does not restore.
finish-old-card-in-todo = Shut the machine down (press its power button, or pull the plug when the light is still), take the old card or disk out, and start it again. It goes on by itself.

finish-unhealthy-title = Home Assistant counts the new system as unhealthy
finish-unhealthy-happened = It does not restore. It said: { $said }
finish-unhealthy-todo = Remove the cause and start the machine again; then it goes on by itself. Or restore by hand: { finish-by-hand }

finish-trouble-title = Home Assistant could not begin the restore
finish-trouble-happened = It gave no reason.
finish-trouble-todo = Wait: it is looked at and tried again every half minute.

finish-restoring-title = Restoring everything
finish-restoring-happened = { $doing }
finish-restoring-todo = Leave the machine on, and leave this open. Home Assistant restarts on the way; this is normal.

finish-restarting-title = Restoring: Home Assistant restarts
finish-restarting-happened = The configuration is there; the apps are installed while nothing answers. This is the longest part.
finish-restarting-todo = Leave the machine on. Depending on the apps it takes from minutes to an hour.

finish-busy-title = Another job is running on the new system
finish-busy-happened = A backup or a restore is running there, perhaps this one. No second one is started.
finish-busy-todo = Wait.

finish-interrupted-title = The restore was interrupted
finish-interrupted-happened = Home Assistant is back as if nothing had happened. Perhaps the power was cut.
finish-interrupted-todo = Try again. Or restore by hand: { finish-by-hand }

finish-failed-before-title = The restore failed
finish-failed-before-happened = Nothing was changed. Home Assistant said: { $said }
finish-failed-before-todo = Try again. Or restore by hand: { finish-by-hand }

finish-failed-after-title = The restore failed
finish-failed-after-happened = Home Assistant is back, but empty. The backup still lies on the card.
finish-failed-after-todo = Try again. Or restore by hand: { finish-by-hand }

finish-still-refused-title = Home Assistant still refuses to restore
finish-still-refused-happened = It was tried for a long time. Home Assistant said: { $said }
finish-still-refused-todo = Check that the machine has internet and let it run for a while, then try again. Or restore by hand: { finish-by-hand }

finish-refused-title = The restore was refused
finish-refused-happened = Home Assistant said: { $said }
finish-refused-todo = Try again. Or restore by hand: { finish-by-hand }

finish-no-space-title = The new card is too small
finish-no-space-happened = Restoring needs more room than is free. Home Assistant said: { $said }
finish-no-space-todo = Make a larger card. The old card still works.

finish-without-core-title = This backup cannot be restored here
finish-without-core-happened = It does not hold Home Assistant's configuration.
finish-without-core-todo = Take another backup: upload it on the new system's first page, “Upload backup”.

finish-not-listed-title = The backup is not on the new card
finish-not-listed-happened = The new system does not list it. It lists: { $list }
finish-not-listed-todo = Upload the backup on the new system's first page, “Upload backup”. The old card still works.

finish-several-title = Several backups lie on the new card
finish-several-happened = It lists: { $list }
finish-several-todo = Say which one is meant.

finish-set-up-anew-title = Somebody sets up a new home
finish-set-up-anew-happened = An account was made on the new system; nothing more can be done from here.
finish-set-up-anew-todo = Log in with this account. Settings › System › Backups: choose the backup, tick everything, restore. Your own account returns.

finish-hanging-title = The restore does not come to an end
finish-hanging-happened = It has been running for { $minutes } minutes.
finish-hanging-todo = Look at the machine's light and screen. If nothing moves: pull the plug, start it again, and finish anew. The old card still works.

finish-gave-up-title = Given up
finish-gave-up-happened = Waited for { $minutes } minutes.
finish-gave-up-todo = Start again when the new card is running. The old card still works.

finish-done-title = Done. Your Home Assistant runs from the new card.
finish-done-happened = Your home is back. Single apps may still be starting.
finish-done-todo = Log in at { $link } with your own account. Keep the old card for a week.

finish-done-https-title = Done. Your Home Assistant runs from the new card.
finish-done-https-happened = It no longer answers without encryption, as a home with https does.
finish-done-https-todo = Open your home at its own address, or at { $link } Keep the old card for a week.

finish-done-not-set-up-title = Done. The backup is restored.
finish-done-not-set-up-happened = The home in the backup had not been set up itself.
finish-done-not-set-up-todo = Set it up at { $link }

finish-doing-begin = Home Assistant begins.
finish-doing-folders = It is restoring folders and media.
finish-doing-home-assistant = It is restoring the configuration.
finish-doing-addon-repositories = It is restoring the app repositories.
finish-doing-addons = It is installing the apps.
finish-doing-supervisor-config = It is restoring the settings.
finish-doing-await-addon-restarts = It waits for the apps to start.
finish-doing-await-home-assistant-restart = It waits for Home Assistant to start.

finish-by-hand = on the new system make any account, then Settings › System › Backups, tick everything, restore; or at its console: ha backups restore { $slug }; or “Upload backup” on its first page.

finish-leave-open = The restore goes on, but Home Assistant forgets that it runs: it says “idle” meanwhile. Start no second one.
finish-leave-running = The restore goes on.
finish-leave-watch = To watch it: { $command }
