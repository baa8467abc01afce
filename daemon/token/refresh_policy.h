#pragma once

#include <cstdint>
#include <optional>

#include "common/clock.h"
#include "daemon/store/store.h"

namespace nexus {

/// When tokens are refreshed: all of it pure but for `chance()`, so that tests can turn time and
/// chance. `chance` is a number from 0 to 1.

/// Such a number, evenly spread.
double chance();

/// From when on a fetch refreshes, in seconds before the end: six minutes, or a fifth of a short
/// life.
UnixTime refresh_margin(const TokenFacts& token);

/// When a token is refreshed without being asked for: a little before a fetch would have to, spread
/// by chance over a tenth of its life and a minute at the most (F13). Nothing for
/// tokens that do not expire, or that live for less than ten seconds: those are refreshed when
/// asked for.
std::optional<UnixTime> background_refresh_at(const TokenFacts& token, double chance);

/// How long to wait after that many failures in a row, in seconds: doubling, up to 15 minutes, with
/// jitter (F10).
UnixTime back_off(std::int64_t failures, double chance);

/// Whether a token is good for that many seconds more, as far as anybody can know.
bool is_enough(const TokenFacts& token, UnixTime wanted, UnixTime now);

/// A token that claims to be from the future was obtained before the clock was set back: nobody
/// knows how much of its life is left (F15).
bool is_from_the_future(const TokenFacts& token, UnixTime now);

}  // namespace nexus
