#include "cli/jq/program.h"

extern "C" {
#include <jq.h>
}

#include <algorithm>
#include <cstdio>
#include <limits>
#include <utility>
#include <vector>

#include "common/text.h"

namespace nexus::cli::jq {
namespace {

/// Owns a value of libjq. Most of its functions take what they are given: `copy` is for those.
class Value {
 public:
  explicit Value(jv value) : value_(value) {}
  ~Value() { jv_free(value_); }
  Value(Value&& other) noexcept : value_(std::exchange(other.value_, jv_null())) {}
  Value& operator=(Value&&) = delete;

  jv copy() const { return jv_copy(value_); }
  bool is_valid() const { return jv_get_kind(value_) != JV_KIND_INVALID; }
  bool has_message() const { return jv_invalid_has_msg(copy()) != 0; }
  Value message() const { return Value(jv_invalid_get_msg(copy())); }

  /// A text as it is, everything else as JSON.
  std::string text() const {
    if (jv_get_kind(value_) != JV_KIND_STRING) return Value(jv_dump_string(copy(), 0)).text();
    return {jv_string_value(value_), static_cast<std::size_t>(jv_string_length_bytes(copy()))};
  }

 private:
  jv value_;
};

Error failure(const std::string& what, const std::string& hint) {
  return {ErrorCode::failure, what, hint};
}

/// The first of what libjq says of an expression, without its preamble and the expression itself.
void keep_first(void* into, jv message) {
  auto& first = *static_cast<std::string*>(into);
  if (!first.empty()) return jv_free(message);
  constexpr std::string_view preamble = "jq: error: ";
  first = Value(message).text();
  if (first.starts_with(preamble)) first.erase(0, preamble.size());
  first.erase(std::min(first.find('\n'), first.size()));
  first.erase(std::min(first.find(" at <top-level>"), first.size()));
}

void say(void*, jv message) {
  const Value array(jv_array_append(jv_array_append(jv_array(), jv_string("DEBUG:")), message));
  std::fprintf(stderr, "%s\n", array.text().c_str());
}

/// For `input`. Left to itself libjq calls whatever its memory was filled with before.
jv no_more(jq_state*, void*) {
  return jv_invalid();
}

struct FreeParser {
  void operator()(jv_parser* parser) const { jv_parser_free(parser); }
};

Result<std::vector<Value>> values_in(std::string_view text) {
  const std::unique_ptr<jv_parser, FreeParser> parser(jv_parser_new(0));
  if (text.size() > std::numeric_limits<int>::max())
    return failure("the answer is too large for an expression", "ask for less of it");
  jv_parser_set_buf(parser.get(), text.data(), static_cast<int>(text.size()), 0);
  std::vector<Value> values;
  while (true) {
    Value value(jv_parser_next(parser.get()));
    if (value.is_valid()) {
      values.push_back(std::move(value));
    } else if (value.has_message()) {
      return failure("the answer is no JSON: " + value.message().text(),
                     "leave --jq out to see what it is");
    } else {
      return values;
    }
  }
}

}  // namespace

void Program::TearDown::operator()(jq_state* state) const {
  jq_teardown(&state);
}

Result<Program> Program::compile(const std::string& expression) {
  std::unique_ptr<jq_state, TearDown> state(jq_init());
  if (!state) return failure("libjq cannot be initialised", "see how much memory there is");
  // It asserts that there is a list of where libraries are.
  jq_set_attr(state.get(), jv_string("JQ_LIBRARY_PATH"), jv_array());
  std::string wrong;
  jq_set_error_cb(state.get(), keep_first, &wrong);
  const bool is_compiled = jq_compile(state.get(), expression.c_str()) != 0;
  jq_set_error_cb(state.get(), nullptr, nullptr);
  if (!is_compiled)
    return Error{ErrorCode::usage, "'--jq' takes no such expression: " + wrong, "see: man jq"};
  jq_set_debug_cb(state.get(), say, nullptr);
  jq_set_input_cb(state.get(), no_more, nullptr);
  return Program(std::move(state));
}

Result<void> Program::run(std::string_view text, const Results& results) {
  NEXUS_TRY(const auto values, values_in(text));
  for (const auto& value : values) {
    jq_start(state_.get(), value.copy(), 0);
    while (true) {
      const Value result(jq_next(state_.get()));
      if (result.is_valid()) {
        NEXUS_CHECK(results(result.text()));
        continue;
      }
      if (jq_halted(state_.get())) {
        // `halt` has none, `halt_error` has one, and a message.
        if (!Value(jq_get_exit_code(state_.get())).is_valid()) return {};
        const Value said(jq_get_error_message(state_.get()));
        return failure("the expression of --jq halted: " + std::string(trim(said.text())),
                       "it says so by halt_error");
      }
      if (result.has_message())
        return failure("the expression of --jq failed: " + result.message().text(),
                       "leave it out to see what the answer is");
      break;
    }
  }
  return {};
}

}  // namespace nexus::cli::jq
