// Declaring commands and options.
#include "cli/command_line.hpp"

#include "core/pipeline/nearest_name.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace troupe_internal::cli {

command_spec& command_spec::subcommand(std::string verb, std::string what) {
  commands.push_back(std::make_unique<command_spec>(std::move(verb), std::move(what)));
  return *commands.back();
}

option_spec& command_spec::add(std::string_view names, std::string meta, std::string what, assign_function assign) {
  option_spec option;
  const auto comma = names.find(',');
  if (comma != std::string_view::npos) {
    option.short_name = names.substr(0, comma);
    names.remove_prefix(comma + 1);
  }
  option.long_name = names;
  option.meta = std::move(meta);
  option.help = std::move(what);
  option.assign = std::move(assign);
  options.push_back(std::move(option));
  return options.back();
}

option_spec& command_spec::flag(std::string_view names, bool& to, std::string what) {
  return add(names, "", std::move(what), [&to](const std::vector<std::string>&) {
    to = true;
    return std::string();
  });
}

option_spec& command_spec::flag_or_value(std::string_view names, std::string meta, std::string what,
                                         std::function<std::string(const std::string&)> take) {
  auto& option = add(names, "", std::move(what), [take = std::move(take)](const std::vector<std::string>& values) {
    return take(values.empty() ? std::string() : values.back());
  });
  option.meta_of_flag = std::move(meta);
  return option;
}

option_spec& command_spec::text(std::string_view names, std::string meta, std::string& to, std::string what) {
  return add(names, std::move(meta), std::move(what), [&to](const std::vector<std::string>& values) {
    to = values.back();
    return std::string();
  });
}

option_spec& command_spec::texts(std::string_view names, std::string meta, std::vector<std::string>& to,
                                 std::string what) {
  auto& option = add(names, std::move(meta), std::move(what), [&to](const std::vector<std::string>& values) {
    to.insert(to.end(), values.begin(), values.end());
    return std::string();
  });
  option.repeatable = true;
  return option;
}

option_spec& command_spec::number(std::string_view names, std::string meta, std::optional<std::uint32_t>& to,
                                  std::uint32_t least, std::string what, std::uint32_t most) {
  return add(names, std::move(meta), std::move(what),
             [&to, least, most, label = std::string(names)](const std::vector<std::string>& values) {
               const std::string& text = values.back();
               std::uint32_t value = 0;
               const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
               if (read.ec != std::errc() || read.ptr != text.data() + text.size() || value < least || value > most)
                 return label.substr(label.find("--")) + " takes a whole number " +
                        (most == std::numeric_limits<std::uint32_t>::max()
                             ? "of at least " + std::to_string(least)
                             : "from " + std::to_string(least) + " to " + std::to_string(most)) +
                        ", not '" + text + "'";
               to = value;
               return std::string();
             });
}

option_spec& command_spec::choice(std::string_view names, std::string meta, std::string& to,
                                  std::vector<std::string> words, std::string what) {
  auto& option =
      add(names, std::move(meta), std::move(what),
          [&to, words, label = std::string(names)](const std::vector<std::string>& values) {
            if (std::find(words.begin(), words.end(), values.back()) != words.end()) {
              to = values.back();
              return std::string();
            }
            std::string message = label.substr(label.find("--")) + " takes ";
            for (std::size_t i = 0; i < words.size(); ++i)
              message += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
            message += ", not '" + values.back() + "'";
            return message + nearest_hint(values.back(), std::vector<std::string_view>(words.begin(), words.end()));
          });
  option.completes = completion::words;
  option.words = std::move(words);
  return option;
}

positional_spec& command_spec::positional(std::string label, std::string& to, bool required, std::string what) {
  positional_spec positional;
  positional.name = std::move(label);
  positional.help = std::move(what);
  positional.required = required;
  positional.assign = [&to](const std::vector<std::string>& values) {
    to = values.back();
    return std::string();
  };
  arguments.push_back(std::move(positional));
  return arguments.back();
}

positional_spec& command_spec::positionals(std::string label, std::vector<std::string>& to, std::string what) {
  positional_spec positional;
  positional.name = std::move(label);
  positional.help = std::move(what);
  positional.many = true;
  positional.assign = [&to](const std::vector<std::string>& values) {
    to = values;
    return std::string();
  };
  arguments.push_back(std::move(positional));
  return arguments.back();
}

} // namespace troupe_internal::cli
