#pragma once

// Catch2 3 and 2 name their headers differently; Debian 12 has 2, newer systems 3.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif
