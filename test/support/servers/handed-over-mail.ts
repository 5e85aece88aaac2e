/** A mail that is handed to an SMTP server as another server would. */
import SMTPConnection from 'nodemailer/lib/smtp-connection'

/** `from` is empty for the null sender. Resolves to the code of the refusal, or 250. */
export const handOver = async (
  port: number,
  from: string,
  recipient: string,
  message: string | Buffer,
): Promise<number> => {
  const connection = new SMTPConnection({ host: '127.0.0.1', port, ignoreTLS: true })
  try {
    return await new Promise<number>((resolve, reject) => {
      connection.once('error', (error: Error & { responseCode?: number }) => resolve(error.responseCode ?? -1))
      connection.connect((failed) => {
        if (failed) return reject(failed)
        // The types do not know that false is the null sender.
        const sender = from === '' ? (false as unknown as string) : from
        connection.send({ from: sender, to: recipient }, message, (error) =>
          resolve(error === null ? 250 : ((error as { responseCode?: number }).responseCode ?? -1)),
        )
      })
    })
  } finally {
    connection.close()
  }
}
