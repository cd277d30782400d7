-- What may be set on an extension, as JSON: a row of it would hold the hash of the code too, which not every process may read.
CREATE OR REPLACE FUNCTION fields_of(
    name text, account_code text, mailbox text, enabled bool, allows_virtualization bool, max_stay interval, daily_return time
) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('name', name, 'account_code', account_code, 'mailbox', mailbox, 'enabled', enabled,
                              'allows_virtualization', allows_virtualization, 'max_stay', max_stay, 'daily_return', daily_return)
$$;
