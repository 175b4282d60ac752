package dev.nibble.data.chat;

import dev.nibble.jinja.Value;
import dev.nibble.jinja.Value.Dict;
import dev.nibble.jinja.Values;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What a message says, as its row has it.
 *
 * @param text the visible text
 * @param thinking what precedes it
 * @param calls the functions that are called
 */
record Said(List<String> text, List<String> thinking, List<String> calls) {
  private static final String END_OF_THINKING = "</think>";

  static Said of(Dict message) {
    List<String> text = new ArrayList<>();
    List<String> thinking = new ArrayList<>();
    Value content = message.get("content");
    if (content instanceof Value.Text whole) {
      addText(whole.text(), text, thinking);
    }
    for (Value part : content == null ? List.<Value>of() : Values.elements(content)) {
      if (part instanceof Dict d && d.get("text") instanceof Value.Text t) {
        addText(t.text(), text, thinking);
      }
    }
    for (String field : List.of("reasoning_content", "reasoning", "thinking")) {
      if (message.get(field) instanceof Value.Text t) {
        add(t.text(), thinking);
      }
    }
    List<String> calls = new ArrayList<>();
    Value called = message.get("tool_calls");
    for (Value call : called == null ? List.<Value>of() : Values.elements(called)) {
      Value function = call instanceof Dict d && d.get("function") instanceof Dict f ? f : call;
      if (function instanceof Dict d && d.get("name") instanceof Value.Text name) {
        add(name.text(), calls);
      }
    }
    return new Said(text, thinking, calls);
  }

  private static void addText(String content, List<String> text, List<String> thinking) {
    int end = content.lastIndexOf(END_OF_THINKING);
    if (end < 0) {
      add(content, text);
    } else {
      String thought = content.substring(0, end).stripLeading();
      add(
          thought.startsWith("<think>") ? thought.substring("<think>".length()) : thought,
          thinking);
      add(content.substring(end + END_OF_THINKING.length()), text);
    }
  }

  private static void add(String piece, List<String> pieces) {
    String squeezed = squeezed(piece);
    if (!squeezed.isEmpty()) {
      pieces.add(squeezed);
    }
  }

  /** Without white space, since templates trim and indent. */
  private static String squeezed(String text) {
    return text.chars()
        .filter(c -> !Character.isWhitespace(c))
        .collect(StringBuilder::new, (s, c) -> s.append((char) c), StringBuilder::append)
        .toString();
  }

  /** Whether nothing of it is in the text that is learned, which then teaches silence. */
  boolean isLost(String learned) {
    String there = squeezed(learned);
    return text.isEmpty()
        && Stream.concat(thinking.stream(), calls.stream()).noneMatch(there::contains);
  }

  /** Whether it says nothing at all. */
  boolean isEmpty() {
    return text.isEmpty() && thinking.isEmpty() && calls.isEmpty();
  }

  /** What of it is missing in the text that is learned. */
  Set<Shortfall> missingIn(String learned) {
    Set<Shortfall> missing = EnumSet.noneOf(Shortfall.class);
    if (isEmpty()) {
      missing.add(Shortfall.EMPTY);
      return missing;
    }
    String there = squeezed(learned);
    if (!text.stream().allMatch(there::contains)) {
      missing.add(Shortfall.TEXT);
    }
    if (!thinking.stream().allMatch(there::contains)) {
      missing.add(Shortfall.THINKING);
    }
    if (!calls.stream().allMatch(there::contains)) {
      missing.add(Shortfall.CALLS);
    }
    return missing;
  }
}
