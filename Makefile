# Two commands do everything on a fresh machine: `make run` and `make test`.
.PHONY: run test test-rust ops-check test-api test-browser test-image test-guest screens check torture coverage dist package bench
.PHONY: needs-run needs-test needs-browser

CARGO ?= cargo

run: needs-run
	$(CARGO) run --release --locked -- demo

# Formatting, lints, floors and every test, the API's and the browser's too; below 30 minutes on two cores.
test: test-rust test-api test-image test-browser

test-rust: needs-test check
	$(CARGO) test --locked --no-fail-fast
	$(MAKE) ops-check

# Our own app by the rules that `sd-swap ops` has for any: as it is built, and as it is published.
ops-check:
	$(CARGO) run --quiet --locked -- ops check --no-tests --receipts target/ops
	$(CARGO) run --quiet --locked -- ops check --no-tests --mode publish --receipts target/ops

# The API against its own description, with schemathesis from PyPI; a minute.
test-api:
	@scripts/needs api
	$(CARGO) build --locked
	scripts/schemathesis

# The Dockerfile, by hadolint from PyPI; seconds.
test-image:
	@scripts/needs api
	@scripts/hadolint

check:
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	$(CARGO) clippy --locked --no-default-features --lib --bins -- -D warnings

# The pages in headless Chromium, against every state and against the demo; below 6 minutes on two cores. FILES: how many
# files of tests run at once. `make test-browser ONLY=live` runs one.
test-browser: needs-browser
	node tests/browser/run.mjs $(if $(ONLY),tests/browser/$(ONLY).test.mjs)

# The app as it ships, on a machine with real USB: a Debian guest in QEMU, confined by apparmor.txt and a device cgroup.
# `make test-guest ONLY=fake` runs the scenarios whose names hold that word.
test-guest:
	@scripts/needs guest
	$(CARGO) build --locked
	scripts/dist amd64
	tests/guest/run $(ONLY)

# Pictures of every page and state in both themes, into docs/screens.
screens: needs-browser
	node tests/browser/screens.mjs

# The long form of what `make test` runs a share of: every operation of a job fails once, 10,000 seeds, 200 kills, a
# WebSocket that says nothing. The allocator is told to give memory back: a child tool costs as much as there are pages
# to share with it.
torture: needs-test
	SD_SWAP_TORTURE=1 MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=131072 \
		$(CARGO) test --locked --test torture --test kill --test simulate --test ingress -- --nocapture --test-threads=2

# How fast a card is made beside `xz | dd` (as root), what open pages cost it, and what nobody there costs: docs/speed.md has
# the tables. `make bench ONLY="card80 blank"` runs one row.
bench: needs-run
	$(CARGO) build --release --locked
	$(if $(ONLY),,scripts/bench-job)
	$(if $(ONLY),,scripts/bench-face)
	$(if $(ONLY),,scripts/bench-idle)
	scripts/bench $(if $(ONLY),--only "$(ONLY)") $(if $(IMAGE),--image $(IMAGE))
	$(if $(IMAGE),$(CARGO) bench --locked --bench decode -- $(IMAGE))

# Lines covered, per file; needs cargo-llvm-cov (cargo install cargo-llvm-cov --locked).
coverage: needs-test
	$(CARGO) llvm-cov --locked --summary-only --ignore-filename-regex 'registry|rustc'

# The program as the app ships it, into dist/amd64 and dist/aarch64; then `docker build .` needs no compiler.
dist:
	@scripts/dist

# The app's root folder, started as s6 would start it, with the Supervisor's address and a stranger's.
package:
	@scripts/needs package
	scripts/dist amd64
	scripts/package

needs-run:
	@scripts/needs run

needs-test:
	@scripts/needs test

needs-browser: needs-test tests/browser/node_modules/.package-lock.json
	$(CARGO) build --locked
	$(CARGO) test --locked --lib --no-run

tests/browser/node_modules/.package-lock.json: tests/browser/package-lock.json
	cd tests/browser && npm ci --no-audit --no-fund
	touch $@
