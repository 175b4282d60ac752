package dev.nibble.data.chat;

import dev.nibble.data.json.InvalidJson;
import dev.nibble.data.json.JsonReader;
import dev.nibble.data.rows.Row;
import dev.nibble.data.rows.Struct;
import dev.nibble.errors.Remedy;
import dev.nibble.jinja.Value;
import dev.nibble.jinja.Value.Dict;
import dev.nibble.jinja.Values;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Rows with a list of messages. A message reaches the template whole; only its role and content get
 * the names that templates know.
 *
 * <p>Of a message's own fields a null counts as absent, but for the content, which is None in
 * Python too. Deeper, in calls and schemas, a null of JSON is a value and stays; a null of a {@link
 * Struct} is left out, as in TRL, since its file fills with null whatever field another row has.
 *
 * @param fields names of columns, fields and roles
 */
public record MessageRows(MessageFields fields) implements ConversationSource {
  private static final String FUNCTION_CALL = "function_call";
  private static final String SYSTEM = "system";
  private static final List<String> SAID_OTHERWISE =
      List.of("tool_calls", FUNCTION_CALL, "reasoning_content", "reasoning", "thinking");

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
    system(row)
        .ifPresent(text -> {
          Dict said = Conversation.message(SYSTEM, text);
          if (!SYSTEM.equals(Conversation.role(messages.getFirst()))) {
            messages.addFirst(said);
          } else if (!said.equals(messages.getFirst())) {
            throw row.invalid(
                "column '%s' and the first message in column '%s' are different prompts of the system; leave one of them out."
                    .formatted(SYSTEM, fields.messages()));
          }
        });
    return new Conversation(messages, tools(row));
  }

  /** The prompt of the system beside the messages, as ShareGPT's rows have it. */
  private static Optional<String> system(Row row) {
    return row.optionalText(SYSTEM).filter(text -> !text.isBlank());
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
    if (given.containsKey(fields.content())) {
      message.put("content", said(content));
    }
    given.forEach((key, value) -> {
      boolean taken = key.equals(fields.role()) || key.equals(fields.content());
      if (!taken && value != null) {
        message.put(String.valueOf(key), plain(value));
      }
    });
    if (role.equals(FUNCTION_CALL)) {
      functionCall(row, place, message);
    } else if (content == null && SAID_OTHERWISE.stream().noneMatch(message::containsKey)) {
      throw row.invalid(place + " has no '" + fields.content() + "'.");
    }
    return (Dict) value(row, place, message);
  }

  /** What is said; numbers and booleans as their text, as in other rows. */
  private static @Nullable Object said(@Nullable Object content) {
    return switch (content) {
      case Boolean b -> b.toString();
      case Double d when !Double.isFinite(d) -> d.toString();
      case Number n -> Values.text(Values.of(n));
      case null, default -> plain(content);
    };
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
            ? (text.isBlank() || text.strip().equals("null") ? List.of() : parsed(row, place, text))
            : tools;
    if (!(list instanceof List<?> schemas)) {
      throw row.invalid(
          place + " should hold a list of tool schemas, or such a list as JSON text.");
    }
    List<@Nullable Object> given = new ArrayList<>();
    for (Object schema : schemas) {
      given.add(schema instanceof String text ? parsed(row, place, text) : plain(schema));
    }
    return given.isEmpty() ? Optional.empty() : Optional.of(value(row, place, given));
  }

  private static Object parsed(Row row, String place, String text) {
    try {
      return Objects.requireNonNullElse(JsonReader.parse(text), Map.of());
    } catch (InvalidJson e) {
      throw row.invalid(
          "%s is not valid JSON: %s, at line %d, column %d of it."
              .formatted(place, e.problem(), e.line(), e.column()));
    }
  }

  /** Data without the nulls that only stand for fields of other rows. */
  private static @Nullable Object plain(@Nullable Object value) {
    return switch (value) {
      case null -> null;
      case List<?> list -> {
        List<@Nullable Object> kept = new ArrayList<>();
        list.forEach(item -> kept.add(plain(item)));
        yield kept;
      }
      case Map<?, ?> map -> {
        Map<String, @Nullable Object> kept = new LinkedHashMap<>();
        map.forEach((k, v) -> {
          if (v != null || !(map instanceof Struct)) {
            kept.put(String.valueOf(k), plain(v));
          }
        });
        yield kept;
      }
      default -> value;
    };
  }

  private static Value value(Row row, String place, Object plain) {
    try {
      return Values.of(plain);
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
