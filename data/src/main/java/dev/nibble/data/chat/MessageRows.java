package dev.nibble.data.chat;

import dev.nibble.data.rows.Row;
import dev.nibble.errors.Remedy;
import dev.nibble.jinja.Value;
import dev.nibble.jinja.Value.Dict;
import dev.nibble.jinja.Values;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * Rows with a list of messages. A message reaches the template whole; only its role and content get
 * the names that templates know. A null counts as absent, as in TRL, since Arrow files fill every
 * field that other rows have with null.
 *
 * @param fields names of columns, fields and roles
 */
public record MessageRows(MessageFields fields) implements ConversationSource {
  private static final JsonMapper JSON = new JsonMapper();
  private static final String FUNCTION_CALL = "function_call";

  @Override
  public Conversation conversation(Row row) {
    List<?> items = row.list(fields.messages());
    List<Dict> messages = new ArrayList<>(items.size());
    for (Object item : items) {
      messages.add(message(row, messages.size() + 1, item));
    }
    if (messages.isEmpty()) {
      throw row.invalid("column '" + fields.messages() + "' holds no message.");
    }
    return new Conversation(messages, tools(row));
  }

  private Dict message(Row row, int number, @Nullable Object item) {
    String place = "message %d in column '%s'".formatted(number, fields.messages());
    if (!(item instanceof Map<?, ?> given)
        || !(given.get(fields.role()) instanceof String given_role)) {
      throw row.invalid(
          "%s is %s; expected a struct with the text '%s' and '%s'."
              .formatted(place, described(item), fields.role(), fields.content()));
    }
    String role = role(row, place, given_role);
    Map<String, @Nullable Object> message = new LinkedHashMap<>();
    message.put("role", role);
    Object content = given.get(fields.content());
    if (content != null) {
      message.put("content", withoutNulls(content));
    }
    given.forEach((key, value) -> {
      boolean taken = key.equals(fields.role()) || key.equals(fields.content());
      if (!taken && value != null) {
        message.put(String.valueOf(key), withoutNulls(value));
      }
    });
    if (role.equals(FUNCTION_CALL)) {
      functionCall(row, place, message);
    } else if (content == null && !message.containsKey("tool_calls")) {
      throw row.invalid(place + " has no '" + fields.content() + "'.");
    }
    return dict(row, place, message);
  }

  private String role(Row row, String place, String given) {
    String role = fields.roles().get(given);
    if (role == null && fields.strict()) {
      throw row.invalid(
          "%s is from '%s'; known are %s"
              .formatted(place, given, fields.roles().keySet().stream().sorted().toList()),
          Remedy.MAP_ROLES);
    }
    return role == null ? given : role;
  }

  private static String described(@Nullable Object item) {
    return item instanceof Map<?, ?> map
        ? "a struct with the fields " + map.keySet()
        : String.valueOf(item);
  }

  /** ShareGPT writes a call as JSON text with a name and arguments, or a list of them. */
  private static void functionCall(Row row, String place, Map<String, @Nullable Object> message) {
    Object parsed = parsed(row, place, String.valueOf(message.get("content")));
    List<Object> calls = new ArrayList<>();
    for (Object call : parsed instanceof List<?> list ? list : List.of(parsed)) {
      if (!(call instanceof Map<?, ?> function) || !(function.get("name") instanceof String)) {
        throw row.invalid(
            place
                + " is a function_call without a name; expected JSON with 'name' and 'arguments'.");
      }
      calls.add(Map.of("type", "function", "function", call));
    }
    message.put("role", Conversation.ASSISTANT);
    message.put("content", "");
    message.put("tool_calls", calls);
  }

  private Optional<Value> tools(Row row) {
    Object tools = row.value(fields.tools()).orElse(List.of());
    String place = "column '" + fields.tools() + "'";
    Object list =
        tools instanceof String text
            ? (text.isBlank() ? List.of() : parsed(row, place, text))
            : tools;
    if (!(list instanceof List<?> schemas)) {
      throw row.invalid(
          place + " should hold a list of tool schemas, or such a list as JSON text.");
    }
    return schemas.isEmpty() ? Optional.empty() : Optional.of(Values.of(withoutNulls(schemas)));
  }

  private static Object parsed(Row row, String place, String text) {
    try {
      return JSON.readValue(text, Object.class);
    } catch (JacksonException e) {
      throw row.invalid(place + " is not valid JSON: " + e.getOriginalMessage() + ".");
    }
  }

  private static Object withoutNulls(Object value) {
    return switch (value) {
      case List<?> list -> {
        List<@Nullable Object> kept = new ArrayList<>();
        list.forEach(item -> kept.add(item == null ? null : withoutNulls(item)));
        yield kept;
      }
      case Map<?, ?> map -> {
        Map<String, Object> kept = new LinkedHashMap<>();
        map.forEach((k, v) -> {
          if (v != null) {
            kept.put(String.valueOf(k), withoutNulls(v));
          }
        });
        yield kept;
      }
      default -> value;
    };
  }

  private static Dict dict(Row row, String place, Map<String, @Nullable Object> message) {
    try {
      return (Dict) Values.of(message);
    } catch (IllegalArgumentException e) {
      throw row.invalid(place + ": " + e.getMessage() + ".");
    }
  }

  @Override
  public List<String> columns() {
    return List.of("system", fields.messages(), fields.tools());
  }

  @Override
  public Conversation question(String instruction, String input) {
    String text = Conversation.request(instruction, input);
    return new Conversation(List.of(Conversation.message("user", text)), Optional.empty());
  }
}
