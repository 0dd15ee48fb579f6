#pragma once

/// Architecture search: spaces, rewards and algorithms.

#include <effnet/search/evolution.hpp>
#include <effnet/search/planted_reward.hpp>
#include <effnet/search/random_search.hpp>
#include <effnet/search/reinforcement.hpp>
#include <effnet/search/reward.hpp>
#include <effnet/search/run_search.hpp>
#include <effnet/search/spaces.hpp>
