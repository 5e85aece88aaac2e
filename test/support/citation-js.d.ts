/** What the tests use of citation-js, which has no types: its readers of BibTeX, RIS and CSL-JSON, all into CSL-JSON. */
declare module '@citation-js/core' {
  export const plugins: {
    input: {
      chain(
        text: string,
        options: { generateGraph: boolean; strict?: boolean; forceType?: string },
      ): Record<string, unknown>[]
    }
  }
}
declare module '@citation-js/plugin-bibtex'
declare module '@citation-js/plugin-ris'
