# Everything that a developer types. Each target installs what it needs on Debian and Ubuntu, or says what to install.

.PHONY: build demo test test-browser lint bench sweep soak release install uninstall dist dist-oldest tools test-tools

# Where `make install` puts everything; with DESTDIR below that directory.
PREFIX ?= /usr/local
DESTDIR ?=

build: tools
	cargo build --locked

demo: tools
	cargo run --locked --quiet -- --sandbox run scripts/rolling_restart.rhai --yes

# Most tests wait for something: two of them at a time for each processor.
export RUST_TEST_THREADS ?= $(shell expr 2 \* $$(getconf _NPROCESSORS_ONLN))

# The same build profile as `demo`, so that nothing is built twice. A test that hangs is named.
test: tools test-tools
	@./.ci/within 3600 cargo test --locked

# Reports as chromium shows them; the pictures stay in target/browser/.
test-browser: tools
	@./.ci/tools chromium
	cargo test --locked --test browser

lint: tools
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings

# Both sides of every figure in the same run; the table also goes to target/bench.json.
bench: tools test-tools
	cargo bench --locked --bench figures

# How the time of each function and script grows with the cluster.
sweep: tools
	cargo bench --locked --bench sweep

# The whole suite twice: what depends on timing shows itself. Then all of what `make test` takes a sample: 100,000 futures of each shipped
# script, with the rows of the tables in docs/simulator.md and docs/procedures.md; scripts cut off at every point, hundreds of killed
# processes, every truncation and tens of thousands of altered bytes of the store, 100,000 mutated scripts, a million documents for each
# parser, ten thousand nodes, a thousand processes, all hostile ports, values and disks, PD's members gone in each way. The live view is
# disturbed for twenty minutes, in which it mostly waits: beside the others.
SOAKED = variants:: scripts:: rehearse:: testing:: runs:: store:: fuzz:: hangs:: load:: failover:: written:: hostile_values:: lock::

soak: tools test-tools
	for round in 1 2; do ./.ci/within 3600 cargo test --locked || exit 1; done
	cargo test --locked --profile soak --test suite --no-run
	export BINLOGSH_SOAK=1; \
	./.ci/within 3600 cargo test --locked --profile soak --test suite -- watch:: --nocapture & watch=$$!; \
	./.ci/within 5400 cargo test --locked --profile soak --test suite -- $(SOAKED) --nocapture; others=$$?; \
	wait $$watch && exit $$others

# Where the next ones look for the program, whatever directory cargo is told elsewhere.
release: tools
	cargo build --locked --release --target-dir target

install: release
	@rm -rf target/install
	@./.ci/stage target/release/binlogsh target/install
	@DESTDIR='$(DESTDIR)' target/install/install.sh '$(PREFIX)'

uninstall:
	@DESTDIR='$(DESTDIR)' ./.ci/install --uninstall '$(PREFIX)'

# The archive of a release in target/dist/, for this machine's glibc and later ones.
dist: release
	@./.ci/dist target/release/binlogsh target/dist

# The archive as it is given away: built on the oldest Debian that the mirror has, tried on each one that it has, and held to the
# glibc that the guide names. As root on Debian; it is in target/dist-oldest/archive/.
dist-oldest: tools
	@./.ci/tools git debootstrap
	@./.ci/releases target/dist-oldest
	BINLOGSH_DIST=target/dist-oldest/archive cargo test --locked --test dist

tools:
	@./.ci/tools protoc cc

test-tools:
	@./.ci/tools etcd etcdctl mariadbd bash zsh fish git sshd ssh microsocks nss-wrapper
