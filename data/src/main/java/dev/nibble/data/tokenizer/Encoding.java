package dev.nibble.data.tokenizer;

/**
 * The tokens of a text.
 *
 * @param ids token ids
 * @param starts start of each token's text, in Unicode code points (not UTF-16 units); -1 for a
 *     token that the tokenizer added, such as BOS
 * @param ends its end (exclusive), likewise
 */
@SuppressWarnings("ArrayRecordComponent") // handed over, read once; compared by identity only
public record Encoding(int[] ids, int[] starts, int[] ends) {}
