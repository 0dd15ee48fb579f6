#pragma once

/// Entry header: networks' tables from JSON files, and back. Needs nlohmann-json (effnet::io).

#include <effnet/io/spec_table.hpp>
