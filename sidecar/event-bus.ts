/** The bus of EventBridge that the tokenizer tells what becomes of tokens: the same name wherever it is made. */
export const EVENT_BUS = 'tokenmesh';
