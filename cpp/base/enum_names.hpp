// Public names of enumerators: one table for each enum, to write and to read by.
#pragma once

namespace secondorder {

template <class Enum>
struct Named {
  const char* name;
  Enum value;
};

/// Specialized beside an enum, with an array `table` of Named<Enum>.
template <class Enum>
struct EnumNames;

/// The name of an enumerator, empty for one that has none.
template <class Enum>
constexpr const char* name(Enum value) requires requires {
  EnumNames<Enum>::table;
}
{
  for (const Named<Enum>& entry : EnumNames<Enum>::table) {
    if (entry.value == value) return entry.name;
  }
  return "";
}

}  // namespace secondorder
