# Everything a newcomer needs: `make demo` and `make test`. `make help` lists the rest.
NODE := node --require ./loader.js
LOCK := node_modules/.package-lock.json

# What is given by name is text: make is not to read it, for which it is not in the environment either, and the shell gets it quoted.
unexport STACK WHO DO WHAT HOST CONFIG OUT FILES ROOM
quoted = '$(subst ','\'',$(1))'
given = $(if $(value $(1)),$(2) $(call quoted,$(value $(1))))

# make itself ends with 2 whatever a recipe ended with, and adds a line of its own. Asked a question (-q) it says nothing, and ends
# with 1 where something is left to do; lines that begin with + are run all the same. So these, where nothing else is to be made,
# pass our exit codes on: 0; 1, an answer that is no; 2, a mistake, which make still adds its line to. `make -n` only shows them.
ASKED := access verify report rollback adopt
alone := $(if $(MAKECMDGOALS),$(if $(filter-out $(ASKED),$(MAKECMDGOALS)),,yes))
ifeq (yes,$(alone)$(findstring n,$(firstword -$(MAKEFLAGS))))
MAKEFLAGS += -q
CODE := $(shell mktemp)
RUN := +
note = ; echo $$? >$(CODE)
by_code = $(if $(filter 0,$(1)),,$(if $(filter 1,$(1)),@false,+@exit $(1)))
pass_on = $(call by_code,$(shell cat $(CODE); rm -f $(CODE)))
endif

.PHONY: help install demo demo-stop test unit mutants check format decisions access verify report rollback adopt differential faults power hosts operations soak conformance supply-chain growth bench agent-mutants $(addsuffix -asked,$(ASKED))
help: ## what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(LOCK): package-lock.json
	$(RUN)npm ci
	$(RUN)@touch $@

install: $(LOCK) ## the dependencies, and Pulumi's plugins as they ask for them
	pulumi install --no-dependencies

demo: $(LOCK) ## harden a registry in the sandbox and show it (KEEP=1 leaves it running)
	@$(NODE) sandbox/demo.ts

demo-stop: $(LOCK) ## end the sandbox that KEEP=1 left running
	@$(NODE) sandbox/demo-stop.ts

test: $(LOCK) ## all tests, on the real zot (ZOT=...), Pulumi plugins (PULUMI_PLUGINS=...) and Authentik where given
	@$(NODE) sandbox/prepare.ts
	@npx vitest run

unit: $(LOCK) ## the tests that start nothing
	@npx vitest run --project unit

mutants: $(LOCK) ## ROOM=src/review: change one thing at a time in what decides, and count by room what the unit tests notice
	@$(NODE) tools/mutants/main.ts $(call given,ROOM)

check: $(LOCK) ## types, lint, format, shell, unused code
	npx tsc --noEmit
	npx biome ci --error-on-warnings .
	npx knip
	sh tools/shellcheck.sh

format: $(LOCK) ## let biome mend what it can
	npx biome check --write .

decisions: $(LOCK) ## FILES='a.jsonl b.jsonl': check recorded zot decisions against the authorizer
	@$(NODE) tests/decisions.ts $(foreach file,$(value FILES),$(call quoted,$(file)))

access: access-asked ## STACK=prod: who may do what where (JSON=1, MARKDOWN=1; WHO=zot-ci DO=push WHAT=team/app:v1 asks)
	$(pass_on)
access-asked: $(LOCK)
	$(RUN)@$(NODE) src/review/command.ts $(call given,STACK,--stack) $(call given,WHO,--who) $(call given,DO,--do) $(call given,WHAT,--what) \
		$(if $(JSON),--json) $(if $(MARKDOWN),--markdown)$(note)

verify: verify-asked ## STACK=prod: is the running registry what the settings say? (READONLY=1, JSON=1, LINE=1)
	$(pass_on)
verify-asked: $(LOCK)
	$(RUN)@$(NODE) bin/verify.ts $(call given,STACK,--stack) \
		$(if $(READONLY),--read-only) $(if $(JSON),--json) $(if $(LINE),--line)$(note)

report: report-asked ## STACK=prod: one HTML file of access and its changes, checks, keys, topology (OUT=report.html, READONLY=1)
	$(pass_on)
report-asked: $(LOCK)
	$(RUN)@$(NODE) src/report/command.ts $(call given,STACK,--stack) $(call given,OUT,--out) $(if $(READONLY),--read-only)$(note)

rollback: rollback-asked ## STACK=prod: put back the configuration before the current one (HOST=name: on that host alone)
	$(pass_on)
rollback-asked: $(LOCK)
	$(RUN)@$(NODE) src/host/rollback-command.ts $(call given,STACK,--stack) $(call given,HOST,--host)$(note)

adopt: adopt-asked ## CONFIG=config.json: the settings that reproduce a registry's configuration, and what changes
	$(pass_on)
adopt-asked: $(LOCK)
	$(RUN)@$(NODE) src/adopt/command.ts $(call given,CONFIG,--config)$(note)

differential: $(LOCK) ## ZOT=/path/to/zot: random configurations and requests, real zot against the authorizer
	@$(NODE) tests/differential.ts

faults: $(LOCK) ## kill, break and starve the host agent at every step of every call
	@$(NODE) bench/faults/main.ts

power: $(LOCK) ## cut the host's power in every call of the agent: every state it may leave, and real file systems
	@$(NODE) bench/power/main.ts

hosts: $(LOCK) ## systemd, docker, podman and sudo as far as this machine has them: a host of each kind, through all of its life
	@$(NODE) bench/hosts/main.ts

operations: $(LOCK) ## SEQUENCES=200 SEED=1: random sequences of what operators do with a stack, attacked all the while
	@$(NODE) bench/operations/main.ts $(if $(SEQUENCES),--sequences '$(SEQUENCES)') $(if $(SEED),--seed '$(SEED)')

soak: $(LOCK) ## MINUTES=30: clients pull and push while rules, keys and machines change; every answer is explained
	@$(NODE) bench/soak/main.ts

agent-mutants: $(LOCK) ## SEED=1 COUNT=300: changes one line of agent.sh at a time; which change does no test mind?
	@$(NODE) tools/agent-mutants.ts $(if $(SEED),--seed '$(SEED)') $(if $(COUNT),--count '$(COUNT)')

supply-chain: $(LOCK) ## what this project is made of, and whether docs/supply-chain.md allows it; npm's audit (OUT=sbom.json)
	@npx vitest run tools/supply-chain
	$(if $(value OUT),npm sbom --sbom-format cyclonedx --sbom-type application --package-lock-only $(call given,OUT,>))
	npm audit
	npm audit signatures

growth: $(LOCK) ## time and memory by identities and patterns up to 1,000, and by HOSTS='1 3 10 30'
	@$(NODE) bench/growth/growth.ts

bench: $(LOCK) ## preview and up next to an empty program; delivery; API keys; access rules; verification
	@$(NODE) bench/empty-program.ts
	@$(NODE) bench/delivery.ts
	@$(NODE) bench/keys.ts
	@$(NODE) bench/access.ts
	@$(NODE) bench/verify.ts

conformance: $(LOCK) ## the OCI conformance suite as each identity next to an open registry, then skopeo, crane, regctl and oras
	@$(NODE) bench/conformance/conformance.ts
	@npx vitest run tests/clients.test.ts
