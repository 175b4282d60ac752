package dev.nibble.data.format;

/**
 * A prompt and the answer that is expected.
 *
 * @param prompt the text before the answer
 * @param addsSpecialTokens whether the tokenizer adds its own to it
 * @param answer the answer's text, without what ends it
 */
public record PromptText(String prompt, boolean addsSpecialTokens, String answer) {}
