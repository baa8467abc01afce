#include "common/api/vault_status.h"

namespace nexus::api {

Result<void> read(const Reader& from, VaultStatus& into) {
  const auto source = from.word<KeySource>("key_source");
  if (!source) return unknown_answer();
  into.key_source = *source;
  into.locked = from.flag("locked");
  into.is_new = from.flag("new");
  into.data_dir = from.text("data_dir");
  from.object("derivation", [&into](const Reader& derivation) {
    into.passes = derivation.number("passes");
    into.memory_kib = derivation.number("memory_kib");
  });
  into.memory_locked = from.flag("memory_locked");
  into.lock_after_minutes = from.number("lock_after_minutes").value_or(0);
  into.lock_on_suspend = from.flag("lock_on_suspend");
  from.each("weaknesses", [&into](const Reader& weakness) {
    into.weaknesses.push_back(
        {weakness.text("code"), weakness.text("message"), weakness.text("hint")});
  });
  into.suspicion = from.text("suspicion");
  from.object("rotation", [&into](const Reader& rotation) {
    into.rotation = {rotation.flag("done"), rotation.number("values").value_or(0),
                     rotation.number("damaged").value_or(0), rotation.text("error")};
  });
  return {};
}

void write(JsonWriter& to, const VaultStatus& status) {
  to.flag("locked", status.locked)
      .flag("new", status.is_new)
      .member("key_source", word(status.key_source))
      .member_or_null("data_dir", status.data_dir);
  if (status.passes)
    to.begin("derivation")
        .member("algorithm", "argon2id")
        .member("passes", *status.passes)
        .member("memory_kib", status.memory_kib.value_or(0))
        .end();
  to.flag("memory_locked", status.memory_locked)
      .member("lock_after_minutes", status.lock_after_minutes)
      .flag("lock_on_suspend", status.lock_on_suspend)
      .begin_list("weaknesses");
  for (const auto& weakness : status.weaknesses)
    to.begin()
        .member("code", weakness.code)
        .member("message", weakness.message)
        .member("hint", weakness.hint)
        .end();
  to.end_list().member_or_null("suspicion", status.suspicion);
  if (status.rotation)
    to.begin("rotation")
        .flag("done", status.rotation->done)
        .member("values", status.rotation->fields)
        .member("damaged", status.rotation->left)
        .member_or_null("error", status.rotation->error)
        .end();
}

Result<void> read(const Reader& from, VaultVerdict& into) {
  const auto values = from.number("values");
  if (!values) return unknown_answer();
  into = {*values, from.number("records").value_or(0), from.texts("findings"),
          from.flag("more_findings")};
  return {};
}

void write(JsonWriter& to, const VaultVerdict& verdict) {
  to.flag("intact", verdict.findings.empty())
      .member("values", verdict.values)
      .member("records", verdict.records)
      .member("findings", verdict.findings)
      .flag("more_findings", verdict.more_findings);
}

Result<void> read(const Reader& from, VaultKeyChange& into) {
  const auto old = from.word<KeySource>("from");
  const auto now = from.word<KeySource>("to");
  if (!old || !now) return unknown_answer();
  into = {*old, *now, from.text("left_behind")};
  return {};
}

void write(JsonWriter& to, const VaultKeyChange& change) {
  to.member("from", word(change.from))
      .member("to", word(change.to))
      .member_or_null("left_behind", change.left_behind);
}

}  // namespace nexus::api
