// The one place that names CAF's headers and wraps what changes between its versions. Knows nothing of Troupe's
// messages.
#pragma once

// CAF 0.17 predates some of the warnings this project turns on.
#pragma GCC system_header

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/detail/thread_safe_actor_clock.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/logger.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_actor.hpp>
#include <caf/typed_behavior.hpp>
#include <caf/typed_event_based_actor.hpp>

/// Messages never leave the process: no serialisation is asked of them.
#define TROUPE_LOCAL_MESSAGE(type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(type)
