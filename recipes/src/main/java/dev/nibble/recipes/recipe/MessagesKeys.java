package dev.nibble.recipes.recipe;

import static dev.nibble.recipes.schema.Default.otherwise;
import static dev.nibble.recipes.schema.Default.value;
import static dev.nibble.recipes.schema.KeyTypes.listOf;
import static dev.nibble.recipes.schema.KeyTypes.text;

import dev.nibble.recipes.recipe.Recipe.Format;
import dev.nibble.recipes.recipe.Recipe.Messages;
import dev.nibble.recipes.schema.Key;
import dev.nibble.recipes.schema.MapTypes;
import dev.nibble.recipes.schema.Values;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * Keys of a dataset whose rows hold conversations.
 *
 * @param <R> the record that names the dataset
 */
final class MessagesKeys<R> {
  private static final String WITH = "With conversations: ";

  private final Key<R, String> column;
  private final Key<R, String> role;
  private final Key<R, String> content;
  private final Key<R, String> tools;
  private final Key<R, Map<String, List<String>>> roles;
  private final Key<R, List<String>> learned;
  private final Key<R, String> weight;

  MessagesKeys(Function<R, Messages> of, Function<R, Format> format) {
    column =
        Key.when(
            "field_messages",
            text(),
            otherwise("`messages`; `conversations` with `sharegpt`"),
            r -> of.apply(r).column(),
            WITH + "the column that holds the list of messages.");
    role =
        Key.when(
            "message_field_role",
            text(),
            otherwise("`role`; `from` with `sharegpt`"),
            r -> of.apply(r).role(),
            WITH + "the field of a message that says who speaks.");
    content =
        Key.when(
            "message_field_content",
            text(),
            otherwise("`content`; `value` with `sharegpt`"),
            r -> of.apply(r).content(),
            WITH + "the field of a message with what is said.");
    tools =
        Key.when(
            "field_tools",
            text(),
            value("tools"),
            r -> when(format, r, of.apply(r).tools()),
            WITH
                + "the column with the schemas of tools, a list or JSON text; rows need not have it.");
    roles =
        Key.when(
            "roles",
            MapTypes.textLists(),
            otherwise("as the rows say; with `sharegpt` its usual names"),
            r -> Optional.of(of.apply(r).roles()).filter(map -> !map.isEmpty()),
            WITH
                + "for each role that the template knows, the names that rows use: `{assistant: [bot, model]}`.");
    learned =
        Key.when(
            "roles_to_train",
            listOf(text(), "roles"),
            value(List.of("assistant")),
            r -> when(format, r, of.apply(r).learned()),
            WITH + "the roles whose messages are learned.");
    weight =
        Key.when(
            "message_field_training",
            text(),
            value("weight"),
            r -> when(format, r, of.apply(r).weight()),
            WITH + "the field that leaves a message out of what is learned when it is 0 or false.");
  }

  private static <R, T> Optional<T> when(Function<R, Format> format, R record, T value) {
    return Optional.of(value).filter(v -> format.apply(record).isConversation());
  }

  List<Key<R, ?>> keys() {
    return List.of(column, role, content, tools, roles, learned, weight);
  }

  /** For a dataset of another type. */
  void refuse(Values<R> v) {
    v.refuse(
        "only used with conversations (type: messages, chat_template or sharegpt); remove it",
        column,
        role,
        content,
        tools,
        roles,
        learned,
        weight);
  }

  Messages build(Values<R> v) {
    return new Messages(
        v.find(column),
        v.find(role),
        v.find(content),
        v.get(tools),
        v.find(roles).orElse(Map.of()),
        v.get(learned),
        v.get(weight));
  }
}
