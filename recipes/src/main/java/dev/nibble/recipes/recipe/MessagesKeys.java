package dev.nibble.recipes.recipe;

import static dev.nibble.recipes.schema.Default.otherwise;
import static dev.nibble.recipes.schema.Default.value;
import static dev.nibble.recipes.schema.KeyTypes.listOf;
import static dev.nibble.recipes.schema.KeyTypes.text;

import dev.nibble.data.chat.MessageFields;
import dev.nibble.recipes.recipe.Recipe.Format;
import dev.nibble.recipes.recipe.Recipe.Messages;
import dev.nibble.recipes.schema.Key;
import dev.nibble.recipes.schema.KeyValues;
import dev.nibble.recipes.schema.MapTypes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
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
  private final Key<R, List<String>> trainedRoles;
  private final Key<R, String> weight;

  MessagesKeys(Function<R, Messages> of, Function<R, Format> format) {
    column =
        Key.when(
            "field_messages",
            text(),
            otherwise("`messages`; `conversations` with `sharegpt`"),
            r -> own(of, format, r, MessageFields::messages),
            WITH + "the column that holds the list of messages.");
    role =
        Key.when(
            "message_field_role",
            text(),
            otherwise("`role`; `from` with `sharegpt`"),
            r -> own(of, format, r, MessageFields::role),
            WITH + "the field of a message that holds its role.");
    content =
        Key.when(
            "message_field_content",
            text(),
            otherwise("`content`; `value` with `sharegpt`"),
            r -> own(of, format, r, MessageFields::content),
            WITH + "the field of a message that holds its content.");
    tools =
        Key.when(
            "field_tools",
            text(),
            value("tools"),
            r -> when(format, r, of.apply(r).fields().tools()),
            WITH + "the column with the schemas of tools, as a list or JSON text; optional.");
    roles =
        Key.when(
            "roles",
            MapTypes.textLists(),
            otherwise("as the rows say; with `sharegpt` its usual names"),
            r -> Optional.of(ownRoles(of, format, r)).filter(map -> !map.isEmpty()),
            WITH
                + "names that the rows use for the template's roles, such as `{assistant: [bot, model]}`.");
    trainedRoles =
        Key.when(
            "roles_to_train",
            listOf(text(), "roles"),
            value(List.of("assistant")),
            r -> when(format, r, of.apply(r).trainedRoles()),
            WITH + "the roles whose messages are trained on.");
    weight =
        Key.when(
            "message_field_training",
            text(),
            value("weight"),
            r -> when(format, r, of.apply(r).weightField()),
            WITH + "the field that excludes a message from training if it is 0 or false.");
  }

  /** A name that is not the format's usual one. */
  private static <R> Optional<String> own(
      Function<R, Messages> of,
      Function<R, Format> format,
      R record,
      Function<MessageFields, String> name) {
    return Optional.of(name.apply(of.apply(record).fields()))
        .filter(n -> !n.equals(name.apply(Messages.usual(format.apply(record)))));
  }

  /** The names of roles that are not the format's usual ones, by role. */
  private static <R> Map<String, List<String>> ownRoles(
      Function<R, Messages> of, Function<R, Format> format, R record) {
    Map<String, String> usual = Messages.usual(format.apply(record)).roles();
    Map<String, List<String>> own = new TreeMap<>();
    new TreeMap<>(of.apply(record).fields().roles())
        .forEach((theirs, ours) -> {
          if (!ours.equals(usual.get(theirs))) {
            own.computeIfAbsent(ours, _ -> new ArrayList<>()).add(theirs);
          }
        });
    return own;
  }

  private static <R, T> Optional<T> when(Function<R, Format> format, R record, T value) {
    return Optional.of(value).filter(v -> format.apply(record).isConversation());
  }

  List<Key<R, ?>> keys() {
    return List.of(column, role, content, tools, roles, trainedRoles, weight);
  }

  /** For a dataset of another type. */
  void refuse(KeyValues<R> v) {
    v.refuse(
        "only used with conversations (type: messages, chat_template or sharegpt); remove it",
        column,
        role,
        content,
        tools,
        roles,
        trainedRoles,
        weight);
  }

  Messages build(KeyValues<R> v, Format format) {
    MessageFields usual = Messages.usual(format);
    MessageFields fields =
        new MessageFields(
                v.find(column).orElse(usual.messages()),
                v.find(role).orElse(usual.role()),
                v.find(content).orElse(usual.content()),
                v.get(tools),
                usual.roles(),
                usual.strict())
            .withRoles(v.find(roles).orElse(Map.of()));
    return new Messages(fields, v.get(trainedRoles), v.get(weight));
  }
}
