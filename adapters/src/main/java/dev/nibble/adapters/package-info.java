@NullMarked
package dev.nibble.adapters;

import org.jspecify.annotations.NullMarked;
