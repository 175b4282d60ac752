package dev.nibble.data.chat;

import dev.nibble.jinja.JinjaException;
import dev.nibble.jinja.Value;
import dev.nibble.jinja.Value.Dict;
import dev.nibble.jinja.Values;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * The form in which a chat template reads tool calls. Rows have the arguments of a call as an
 * object or as JSON text, as OpenAI's interface gives them, and older rows a {@code function_call}
 * in place of {@code tool_calls}. A template that writes arguments with {@code tojson} would quote
 * JSON text once more, one that joins text fails on objects, and hardly any reads the older form.
 *
 * @param arguments what arguments have to be
 * @param readsFunctionCall whether the older form is read too
 */
record ToolCallForm(Arguments arguments, boolean readsFunctionCall) {
  /** What arguments have to be for a template. */
  enum Arguments {
    /** Objects; JSON text is parsed. */
    OBJECT,
    /** JSON text; objects are written as Python's json.dumps does. */
    TEXT,
    /** Either is written as it is. */
    EITHER
  }

  private static final JsonMapper JSON = new JsonMapper();
  private static final String FUNCTION_CALL = "function_call";
  private static final String TOOL_CALLS = "tool_calls";
  private static final String ARGUMENTS = "arguments";

  /** The function that is called to look at a template, and its argument. */
  static final String PROBE = "Quartz";

  /** Looks at how a template writes calls in a conversation with these tools. */
  static ToolCallForm of(ChatTemplate template, Optional<Value> tools) {
    Value object = Values.of(Map.of(PROBE, 7));
    String json = Values.json(object);
    Optional<String> asText = rendered(template, tools, calls(call(new Value.Text(json))));
    Optional<String> asObject = rendered(template, tools, calls(call(object)));
    boolean quoted = asText.isEmpty() || asText.get().contains("\\\"" + PROBE);
    Arguments arguments =
        quoted && asObject.isPresent()
            ? Arguments.OBJECT
            : asObject.isEmpty() && !quoted ? Arguments.TEXT : Arguments.EITHER;
    Dict older = Conversation.message(Conversation.ASSISTANT, "").with(FUNCTION_CALL, call(object));
    boolean reads = rendered(template, tools, older).filter(t -> t.contains(PROBE)).isPresent();
    return new ToolCallForm(arguments, reads);
  }

  private static Dict call(Value arguments) {
    Map<Value, Value> call = new LinkedHashMap<>();
    call.put(new Value.Text("name"), new Value.Text(PROBE));
    call.put(new Value.Text(ARGUMENTS), arguments);
    return new Dict(call);
  }

  /** An answer of so many calls. */
  static Dict probe(int calls) {
    return calls(Collections.nCopies(calls, call(Values.of(Map.of(PROBE, 7)))));
  }

  private static Dict calls(Dict function) {
    return calls(List.of(function));
  }

  private static Dict calls(List<Dict> functions) {
    return Conversation.message(Conversation.ASSISTANT, "")
        .with(TOOL_CALLS, Values.of(functions.stream().map(ToolCallForm::toolCall).toList()));
  }

  /** With an id of the length that Mistral's templates ask for. */
  private static Dict toolCall(Dict function) {
    Map<Value, Value> call = new LinkedHashMap<>();
    call.put(new Value.Text("id"), new Value.Text("abcdefghi"));
    call.put(new Value.Text("type"), new Value.Text("function"));
    call.put(new Value.Text("function"), function);
    return new Dict(call);
  }

  private static Optional<String> rendered(
      ChatTemplate template, Optional<Value> tools, Dict message) {
    try {
      List<Dict> messages = List.of(Conversation.message("user", "?"), message);
      return Optional.of(template.render(new Conversation(messages, tools), false).text());
    } catch (JinjaException e) {
      return Optional.empty();
    }
  }

  /** Whether a conversation has calls, whose form may matter. */
  static boolean matters(Conversation conversation) {
    return conversation.messages().stream()
        .anyMatch(m -> m.get(TOOL_CALLS) != null || m.get(FUNCTION_CALL) != null);
  }

  /**
   * The same conversation in this form.
   *
   * @throws InvalidConversation when arguments have to be objects, and their text is no JSON
   */
  Conversation adapted(Conversation conversation) {
    List<Dict> messages = new ArrayList<>();
    boolean older = false;
    for (int i = 0; i < conversation.messages().size(); i++) {
      Dict message = conversation.messages().get(i);
      if (!readsFunctionCall && message.get(FUNCTION_CALL) instanceof Dict function) {
        message = message.without(FUNCTION_CALL).with(TOOL_CALLS, newer(function));
        older = true;
      } else if (older && Conversation.role(message).equals("function")) {
        message = message.with("role", new Value.Text("tool"));
      }
      Value calls = message.get(TOOL_CALLS);
      messages.add(calls == null ? message : message.with(TOOL_CALLS, adapted(calls, i + 1)));
    }
    return new Conversation(messages, conversation.tools());
  }

  private static Value newer(Dict function) {
    Map<Value, Value> call = new LinkedHashMap<>();
    call.put(new Value.Text("type"), new Value.Text("function"));
    call.put(new Value.Text("function"), function);
    return Values.of(List.of(new Dict(call)));
  }

  private Value adapted(Value calls, int message) {
    List<Value> changed = new ArrayList<>();
    for (Value call : Values.elements(calls)) {
      if (call instanceof Dict c && c.get("function") instanceof Dict function) {
        changed.add(c.with("function", function(function, message)));
      } else {
        changed.add(call instanceof Dict bare ? function(bare, message) : call);
      }
    }
    return changed.isEmpty() ? calls : Values.of(changed);
  }

  private Dict function(Dict function, int message) {
    Value given = function.get(ARGUMENTS);
    if (arguments == Arguments.OBJECT && given instanceof Value.Text text) {
      return function.with(ARGUMENTS, parsed(text.text(), message));
    }
    if (arguments == Arguments.TEXT && given instanceof Dict) {
      return function.with(ARGUMENTS, new Value.Text(Values.json(given)));
    }
    return function;
  }

  private static Value parsed(String text, int message) {
    if (text.isBlank()) {
      return Values.of(Map.of());
    }
    try {
      return Values.of(JSON.readValue(text, Object.class));
    } catch (JacksonException | IllegalArgumentException e) {
      throw new InvalidConversation(
          "the arguments of a call in message %d are text that is no JSON: '%s'; the chat template writes arguments as JSON"
              .formatted(message, text));
    }
  }
}
